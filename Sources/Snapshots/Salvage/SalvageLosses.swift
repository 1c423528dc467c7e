internal import ArchiveEngine
internal import ArchiveFormat
internal import BSONBytes

/// Adds up, for each namespace, what its lost chunks held.
struct SalvageLosses {
    private static let mixedUp =
        "its chunks do not have the checksum that its end states, and none is missing: one of "
        + "them is another archive's, and it is not known which"

    private(set) var losses: [SalvageReport.Loss] = []

    init(_ findings: ArchiveSalvager.Findings, _ namespaces: [NamespaceDescriptor]) {
        var byNamespace: [Namespace: SalvageReport.Loss] = [:]
        var order: [Namespace] = []
        var unknown = 0
        func add(_ namespace: Namespace, _ change: (inout SalvageReport.Loss) -> Void) {
            if byNamespace[namespace] == nil { order.append(namespace) }
            change(
                &byNamespace[
                    namespace,
                    default: SalvageReport.Loss(
                        namespace: namespace, chunkCount: 0, documentCount: 0)])
        }
        for chunk in findings.lost {
            let kind = chunk.row?.kind ?? chunk.header?.kind
            // The prelude's content is known from the index, and ends are written anew.
            guard kind != .prelude && kind != .end else { continue }
            let ordinal = chunk.row?.namespaceOrdinal ?? chunk.header?.namespaceOrdinal
            if let ordinal, Int(ordinal) < namespaces.count {
                let documentCount = chunk.row?.documentCount ?? chunk.header?.documentCount ?? 0
                add(namespaces[Int(ordinal)].namespace) { loss in
                    loss.chunkCount += 1
                    loss.documentCount = loss.documentCount.map { $0 + UInt64(documentCount) }
                    if let keys = chunk.row?.keys { loss.ranges.append(keys) }
                }
            } else if let manifest = findings.index?.manifest {
                for entry in manifest.namespaces
                where entry.chunks?.contains(chunk.sequence) == true {
                    add(entry.descriptor.namespace) { loss in
                        loss.chunkCount += 1
                        loss.documentCount = loss.documentCount.map {
                            [$0, entry.totals.documentCount].clampedSum()
                        }
                    }
                }
            } else {
                unknown += 1
            }
        }
        for namespace in findings.mixedUp {
            add(Self.shown(namespace, namespaces)) { loss in
                loss.documentCount = nil
                loss.remark = Self.mixedUp
            }
        }
        for namespace in Self.unmet(findings) {
            add(namespace) { loss in
                guard loss.chunkCount == 0 else { return }
                loss.documentCount = nil
                loss.remark = "its documents do not have the checksum that the archive states"
            }
        }
        losses = order.compactMap { byNamespace[$0] }
        let unknownCount = UInt64(unknown) + findings.unknownLostCount
        guard unknownCount > 0 else { return }
        losses.append(
            SalvageReport.Loss(
                namespace: nil, chunkCount: Int(clamping: unknownCount), documentCount: nil,
                remark: "neither their headers nor the index are left to tell what they held"))
    }

    /// The name that a namespace of blocks is shown by.
    private static func shown(
        _ namespace: Namespace, _ descriptors: [NamespaceDescriptor]
    ) -> Namespace {
        descriptors.first { $0.dataNamespace == namespace }?.namespace ?? namespace
    }

    /// Namespaces whose chunks do not add up to what the index states of them.
    private static func unmet(_ findings: ArchiveSalvager.Findings) -> [Namespace] {
        guard let manifest = findings.index?.manifest else { return [] }
        var totals: [Namespace: DocumentTotals] = [:]
        for block in findings.whole.flatMap(\.blocks) {
            totals[block.header.namespace, default: DocumentTotals()].append(block.totals)
        }
        return manifest.namespaces.filter { entry in
            totals[entry.descriptor.dataNamespace] ?? DocumentTotals() != entry.totals
        }
        .map(\.descriptor.namespace)
    }
}
