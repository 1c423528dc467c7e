public import ArchiveFormat

/// Keeps account of an archive's namespaces while its chunks go by in file order, and finds out
/// what does not add up: a namespace that is not in the prelude, one that goes on after its end, a
/// checksum, count or fingerprint that differs, a namespace without an end.
public struct ArchiveLedger: Sendable {
    private struct Account {
        var totals = DocumentTotals()
        var isClosed = false
        /// First and last chunk with its blocks; nil in archives of other tools.
        var chunks: ClosedRange<UInt32>?
    }

    /// Position in the prelude of each namespace that blocks may name.
    public let ordinals: [Namespace: Int]
    private let descriptors: [NamespaceDescriptor]
    private var accounts: [Account]
    /// Pieces of the prelude that went by.
    private var preludeBytes: [UInt8] = []
    private var lastKind = ChunkKind.prelude
    /// In a Cairn archive: the namespace that has begun and not ended.
    private var open: Int?

    public init(_ prelude: ArchivePrelude) {
        descriptors = prelude.namespaces
        accounts = descriptors.map { _ in Account() }
        // The first of two equal entries counts, as for mongorestore.
        ordinals = Dictionary(
            descriptors.enumerated().map { ($1.dataNamespace, $0) },
            uniquingKeysWith: { first, _ in first })
    }

    /// Totals so far of the namespace at that position.
    public func totals(of ordinal: Int) -> DocumentTotals { accounts[ordinal].totals }

    /// Whether the end of the namespace at that position went by.
    public func hasEnded(_ ordinal: Int) -> Bool { accounts[ordinal].isClosed }

    /// Totals over all namespaces so far.
    public var totals: (documentCount: UInt64, byteCount: UInt64) {
        accounts.reduce((0, 0)) { ($0.0 + $1.totals.documentCount, $0.1 + $1.totals.byteCount) }
    }

    /// Enters a decoded chunk. Chunks come in file order.
    ///
    /// - Throws: `malformed` or `checksumMismatch`, with the namespace.
    public mutating func enter(_ chunk: DecodedChunk) throws(ArchiveError) {
        if let header = chunk.header { try checkOrder(header) }
        if chunk.header?.kind == .prelude { preludeBytes += chunk.bytes }
        for block in chunk.blocks {
            do throws(ArchiveError) {
                try enter(block, of: chunk.header)
            } catch {
                throw error.located(
                    chunk: chunk.header?.sequence,
                    namespace: block.header.namespace.description)
            }
        }
    }

    /// The prelude comes first, then the special namespaces, then the others: mongorestore counts
    /// on it.
    private mutating func checkOrder(_ header: ChunkHeader) throws(ArchiveError) {
        let isInOrder =
            switch header.kind {
            case .prelude: lastKind == .prelude
            case .special: lastKind == .prelude || lastKind == .special
            case .data, .end, .mixed, .index, .trailer: true
            }
        guard isInOrder else {
            throw ArchiveError(
                .malformed, "the chunk comes too late in the archive", chunk: header.sequence)
        }
        lastKind = header.kind
    }

    private mutating func enter(
        _ block: MongodumpBlock.Block, of header: ChunkHeader?
    ) throws(ArchiveError) {
        guard let ordinal = ordinals[block.header.namespace] else {
            throw ArchiveError(.malformed, "a block's namespace is not in the prelude")
        }
        guard !accounts[ordinal].isClosed else {
            throw ArchiveError(.malformed, "a namespace continues after its end")
        }
        if let header, header.namespaceOrdinal != ChunkHeader.noNamespace,
            header.namespaceOrdinal != UInt32(ordinal)
        {
            throw ArchiveError(.malformed, "a block is not of its chunk's namespace")
        }
        if let header { try enterPlace(of: block, ordinal: ordinal, in: header) }
        accounts[ordinal].totals.append(block.totals)
        guard block.header.isEnd else { return }
        accounts[ordinal].isClosed = true
        guard block.header.crc64 == accounts[ordinal].totals.crc64 else {
            throw ArchiveError(
                .checksumMismatch, "the CRC-64 of the namespace's documents does not match")
        }
    }

    /// In a Cairn archive namespaces come one after another. Other tools interleave theirs.
    private mutating func enterPlace(
        of block: MongodumpBlock.Block, ordinal: Int, in header: ChunkHeader
    ) throws(ArchiveError) {
        guard open ?? ordinal == ordinal else {
            throw ArchiveError(.malformed, "the namespace begins before another one ends")
        }
        open = block.header.isEnd ? nil : ordinal
        let first = accounts[ordinal].chunks?.lowerBound ?? header.sequence
        accounts[ordinal].chunks = first...header.sequence
    }

    /// Checks, at the archive's end, that namespaces are complete and are what the manifest says.
    ///
    /// - Parameter selected: positions of the namespaces that were read; nil for all.
    /// - Throws: `truncated` for a namespace without an end, `checksumMismatch`.
    public func close(
        manifest: Manifest?, selected: Set<UInt32>? = nil
    ) throws(ArchiveError) {
        if let manifest { try compareDescriptors(manifest) }
        for (ordinal, account) in accounts.enumerated() {
            let name = descriptors[ordinal].dataNamespace
            guard ordinals[name] == ordinal || manifest == nil else {
                throw ArchiveError(
                    .malformed, "the archive lists a namespace twice", namespace: name.description)
            }
            guard selected?.contains(UInt32(ordinal)) ?? true, ordinals[name] == ordinal
            else { continue }
            guard account.isClosed else {
                throw ArchiveError(
                    .truncated, "the archive ends before its namespaces do",
                    namespace: name.description)
            }
            guard let entry = manifest?.namespaces[ordinal] else { continue }
            guard entry.totals == account.totals, entry.chunks == account.chunks else {
                throw ArchiveError(
                    .checksumMismatch, "documents are not those that the manifest counts",
                    namespace: name.description)
            }
        }
    }

    /// The prelude says the same as the manifest: both the one that was read first, and the one
    /// that went by when the archive is read by its index.
    private func compareDescriptors(_ manifest: Manifest) throws(ArchiveError) {
        var preludes = [descriptors]
        if !preludeBytes.isEmpty { preludes.append(try passedPrelude().namespaces) }
        guard preludes.allSatisfy({ $0 == manifest.namespaces.map(\.descriptor) }) else {
            throw ArchiveError(.malformed, "the prelude and the manifest name different namespaces")
        }
    }

    private func passedPrelude() throws(ArchiveError) -> ArchivePrelude {
        var parser = MongodumpParser()
        parser.feed(preludeBytes)
        guard case .prelude(let prelude)? = try parser.next() else {
            throw ArchiveError(.malformed, "the prelude does not end")
        }
        guard parser.isAtBlock else {
            throw ArchiveError(.malformed, "something follows the end of the prelude")
        }
        return prelude
    }
}
