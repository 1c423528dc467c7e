internal import ArchiveEngine
internal import ArchiveFormat
internal import BSONBytes

/// What is to be written of a damaged archive of Cairn's.
struct SalvagePlan: Sendable {
    /// What is said when the end of the archive is not known.
    static let unknownEnd =
        "the index is damaged or gone: whether more chunks followed the last one is unknown"

    /// Why not all of the file was read; nil when nothing is left to say.
    static func ending(_ findings: ArchiveSalvager.Findings) -> String? {
        if findings.index == nil { return unknownEnd }
        return findings.otherArchiveOffset.map {
            "the file holds another archive too, which begins at byte \($0); nothing of it was "
                + "taken"
        }
    }

    let prelude: ArchivePrelude
    let compression: Compression
    let chunkTargetByteCount: Int
    let kept: [KeptChunk]
    /// Positions in the prelude, by the names that blocks have.
    let ordinals: [Namespace: UInt32]
    /// Namespaces of which no chunk is left; they are written empty.
    let missing: [NamespaceDescriptor]
    let losses: [SalvageReport.Loss]
    /// Whether options and indexes are known.
    let hasCatalog: Bool
    private let isWhole: Bool
    private let original: Manifest?

    /// - Throws: `notAnArchive` when there is neither a catalog nor a document.
    init(_ findings: ArchiveSalvager.Findings) throws(ArchiveError) {
        original = findings.index?.manifest
        let found = findings.prelude?.namespaces ?? original?.namespaces.map(\.descriptor)
        hasCatalog = found != nil
        let isWhole =
            findings.index != nil && findings.lost.isEmpty && findings.mixedUp.isEmpty
        self.isWhole = isWhole
        // Changes of documents that are gone would make new ones of what they changed.
        let namespaces = (found ?? Self.derived(from: findings.whole)).filter { descriptor in
            isWhole || !descriptor.isOplog
        }
        guard !namespaces.isEmpty || hasCatalog else {
            throw ArchiveError(.notAnArchive, "no chunk of it is whole")
        }
        let known = Dictionary(
            namespaces.enumerated().map { ($1.dataNamespace, UInt32($0)) },
            uniquingKeysWith: { first, _ in first })
        ordinals = known
        prelude = ArchivePrelude(
            serverVersion: findings.prelude?.serverVersion ?? original?.source.serverVersion
                ?? "0.0.0",
            toolVersion: Tool.description, namespaces: namespaces)
        // A chunk of a namespace that the archive does not know is not part of it.
        let chunks = findings.whole.filter { chunk in
            chunk.blocks.contains { !$0.header.isEnd }
                && chunk.blocks.allSatisfy { known[$0.header.namespace] != nil }
        }
        kept = chunks.indices.map { position in
            let chunk = chunks[position]
            let next = position + 1 < chunks.count ? chunks[position + 1] : nil
            return KeptChunk(
                chunk: chunk,
                closesNamespace: chunk.header.kind != .mixed
                    && (next == nil || next?.header.kind == .mixed
                        || next?.blocks.first?.header.namespace
                            != chunk.blocks.first?.header.namespace)
            )
        }
        let left = Set(chunks.flatMap { $0.blocks.map(\.header.namespace) })
        missing = namespaces.filter { !left.contains($0.dataNamespace) }
        let codec = original?.compression.codec ?? chunks.first?.header.codec ?? .gzip
        if let known = original?.compression {
            compression = known
        } else {
            compression = try Compression(codec)
        }
        chunkTargetByteCount =
            original?.chunkTargetByteCount ?? ArchiveLimits.chunkTargetByteCountDefault
        losses = SalvageLosses(findings, namespaces).losses
    }

    /// The new archive's manifest, as far as it does not follow from the chunks.
    func manifest(_ id: SnapshotID, now: Int64) -> Manifest {
        var manifest = Manifest(
            id: id.description, tool: Tool.description, startedAt: original?.startedAt ?? now,
            source: original?.source
                ?? Manifest.Source(
                    hosts: [], serverVersion: prelude.serverVersion, replicaSet: nil),
            consistency: consistency,
            selection: original?.selection ?? Manifest.Selection(), compression: compression)
        manifest.finishedAt = original?.finishedAt ?? now
        manifest.description = original?.description
        manifest.loss = loss
        return manifest
    }

    /// Without its oplog, an archive that had one is of no instant.
    private var consistency: Manifest.Consistency {
        guard let original else { return .none }
        if case .oplog = original.consistency, !isWhole { return .none }
        return original.consistency
    }

    /// What is gone; nil when nothing is, as far as anybody can know.
    private var loss: Manifest.Loss? {
        let isEndKnown = original != nil
        guard !losses.isEmpty || !isEndKnown || !hasCatalog else { return original?.loss }
        let counts = losses.map(\.documentCount)
        let isKnown = isEndKnown && counts.allSatisfy { $0 != nil }
        return Manifest.Loss(
            chunkCount: losses.reduce(0) { $0 + $1.chunkCount },
            documentCount: isKnown ? counts.compactMap(\.self).clampedSum() : nil,
            mayBeMore: !isKnown)
    }

    /// How each namespace had been read, where that is known.
    var consistencies: [Manifest.Consistency?] {
        let count = prelude.namespaces.count
        // The oplog, which may be left out, is the last.
        guard let original, original.namespaces.count >= count else { return [] }
        return original.namespaces.prefix(count).map(\.consistency)
    }

    /// Namespaces by nothing but the names that stand in front of their documents.
    private static func derived(
        from chunks: [ArchiveSalvager.WholeChunk]
    ) -> [NamespaceDescriptor] {
        var seen: Set<Namespace> = []
        return chunks.flatMap(\.blocks).compactMap { block in
            guard seen.insert(block.header.namespace).inserted else { return nil }
            return NamespaceDescriptor(namespace: block.header.namespace, type: .collection)
        }
    }
}

/// The new archive's chunks, one after another. Used by one task.
struct SalvagePieces {
    private let plan: SalvagePlan
    private let source: ObjectSource
    private var first: ArraySlice<RawChunk>
    private var kept: ArraySlice<KeptChunk>
    private var last: ArraySlice<RawChunk>

    init(_ plan: SalvagePlan, _ source: ObjectSource) {
        self.plan = plan
        self.source = source
        kept = plan.kept[...]
        // Users and roles come before all data, also where none are left.
        first = plan.missing.filter(\.isAuthorization).map { Self.empty($0, plan) }[...]
        last = plan.missing.filter { !$0.isAuthorization }.map { Self.empty($0, plan) }[...]
    }

    /// - Throws: `ArchiveError` when a chunk is not what it was a moment ago.
    mutating func next() async throws -> ArchiveWriter.Piece? {
        if let chunk = first.popFirst() { return .raw(chunk) }
        guard let next = kept.popFirst() else { return last.popFirst().map { .raw($0) } }
        return try await next.piece(from: source, plan.ordinals)
    }

    private static func empty(
        _ descriptor: NamespaceDescriptor, _ plan: SalvagePlan
    ) -> RawChunk {
        let ordinal = plan.ordinals[descriptor.dataNamespace] ?? 0
        var builder = RawChunkBuilder(
            descriptor.isAuthorization ? .special : .data, namespaceOrdinal: ordinal,
            capacityByteCount: 0)
        builder.beginBlock(descriptor.dataNamespace, ordinal: ordinal)
        builder.endBlock()
        return builder.finished(closesNamespace: true)
    }
}
