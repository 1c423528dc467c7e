internal import ArchiveEngine
internal import ArchiveFormat
internal import ObjectStorage

/// Archives of other tools, and those that come through a pipe: read until the first defect.
/// Folders of mongodump's have a file for each collection, so there one defect is no end of the
/// others.
extension Salvage {
    func foreign(_ id: SnapshotID) async throws -> SalvageReport {
        let defects = Defects()
        let archive = try await location.open(tolerating: { defects.passOver($0) }).reader
        for note in archive.notes { observer.noticed(note) }
        let reader = TolerantReader(archive, defects)
        let rewriter = ArchiveRewriter(
            options: Conversion.Options(
                width: options.width, temporaryFolder: options.temporaryFolder),
            environment: environment, observer: observer, defects: defects)
        let (summary, place) = try await destination.withArchive(
            id, Compression.standard.codec, observer
        ) { upload in
            try await rewriter.write(reader, as: id, into: upload)
        }
        return SalvageReport(
            manifest: summary.index.manifest, place: place,
            storedByteCount: summary.storedByteCount, seal: summary.seal, seconds: 0,
            chunkCount: reader.chunkCount, losses: Self.losses(defects), hasCatalog: true,
            ending: defects.ending.map { "reading ended there: \($0)" })
    }

    private static func losses(_ defects: Defects) -> [SalvageReport.Loss] {
        let passedOver = defects.passedOver
        func loss(_ namespace: Namespace?, _ remark: String) -> SalvageReport.Loss {
            SalvageReport.Loss(
                namespace: namespace, chunkCount: 0, documentCount: nil, remark: remark)
        }
        // Of those that have lost documents it is known what else is wrong.
        func others(_ namespaces: [Namespace]) -> [Namespace] {
            namespaces.filter { passedOver[$0] == nil }
        }
        let known = passedOver.sorted { left, right in
            guard let right = right.key else { return left.key != nil }
            return left.key.map { $0 < right } ?? false
        }.map { name, defect in
            let rest = defect.count > 1 ? "; and \(defect.count - 1) more such defects" : ""
            return loss(name, "\(defect.first)\(rest)")
        }
        return known
            + others(defects.damagedNamespaces).map {
                loss($0, "its checksum does not match: some documents are not as they were")
            }
            + others(defects.cutNamespaces).map {
                loss($0, "its end is missing, and with it the checksum of what was found")
            }
    }
}

/// Takes a defect for the end of what can't be read without the defective part: of a collection, or
/// of the archive. Used by one task.
private final class TolerantReader: ArchiveReader {
    private let base: any ArchiveReader
    private let defects: Defects
    private(set) var chunkCount = 0

    init(_ base: any ArchiveReader, _ defects: Defects) {
        self.base = base
        self.defects = defects
    }

    var prelude: ArchivePrelude { base.prelude }
    var manifest: Manifest? { nil }
    var storedByteCount: UInt64? { base.storedByteCount }

    func next() async throws -> PendingChunk? {
        while defects.ending == nil {
            do {
                guard let chunk = try await base.next() else { return nil }
                guard let usable = try usable(chunk) else { continue }
                chunkCount += 1
                return usable
            } catch let error as ArchiveError {
                if base.leaveNamespace() {
                    defects.passOver(error)
                } else {
                    defects.ending = error
                }
            }
        }
        return nil
    }

    /// What can be used of a chunk.
    ///
    /// - Throws: what is wrong with one that can't be used at all.
    private func usable(_ chunk: PendingChunk) throws(ArchiveError) -> PendingChunk? {
        do throws(ArchiveError) {
            _ = try chunk.decoded()
            return chunk
        } catch {
            guard let whole = chunk.wholeDocuments() else { throw error }
            for damage in whole.damages { defects.passOver(damage) }
            if whole.isCut { _ = base.leaveNamespace() }
            return whole.chunk
        }
    }
}
