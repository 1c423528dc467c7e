public import ArchiveFormat

/// Keeps account of an archive's namespaces while its chunks go by in file order, and finds out
/// what does not add up: a namespace that is not in the prelude, one that goes on after its end, a
/// checksum, count or fingerprint that differs, a namespace without an end.
public struct ArchiveLedger: Sendable {
    private struct Account {
        var totals = DocumentTotals()
        var isClosed = false
    }

    /// Position in the prelude of each namespace that blocks may name.
    public let ordinals: [Namespace: Int]
    private let names: [Namespace]
    private var accounts: [Account]
    /// Pieces of the prelude that went by.
    private var preludeBytes: [UInt8] = []

    public init(_ prelude: ArchivePrelude) {
        names = prelude.namespaces.map(\.dataNamespace)
        accounts = names.map { _ in Account() }
        // The first of two equal entries counts, as for mongorestore.
        ordinals = Dictionary(
            names.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// Totals so far of the namespace at that position.
    public func totals(of ordinal: Int) -> DocumentTotals { accounts[ordinal].totals }

    /// Whether the namespace at that position has ended.
    public func isClosed(_ ordinal: Int) -> Bool { accounts[ordinal].isClosed }

    /// Totals over all namespaces so far.
    public var totals: (documentCount: UInt64, byteCount: UInt64) {
        accounts.reduce((0, 0)) { ($0.0 + $1.totals.documentCount, $0.1 + $1.totals.byteCount) }
    }

    /// Enters a decoded chunk. Chunks come in file order.
    ///
    /// - Throws: `malformed` or `checksumMismatch`, with the namespace.
    public mutating func enter(_ chunk: DecodedChunk) throws(ArchiveError) {
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

    private mutating func enter(
        _ block: DecodedChunk.Block, of header: ChunkHeader?
    ) throws(ArchiveError) {
        guard let ordinal = ordinals[block.header.namespace] else {
            throw ArchiveError(.malformed, "a block's namespace is not in the prelude")
        }
        guard !accounts[ordinal].isClosed else {
            throw ArchiveError(.malformed, "a namespace goes on after its end")
        }
        if let header, header.namespaceOrdinal != ChunkHeader.noNamespace,
            header.namespaceOrdinal != UInt32(ordinal)
        {
            throw ArchiveError(.malformed, "a block is not of its chunk's namespace")
        }
        accounts[ordinal].totals.append(block.totals)
        guard block.header.isEnd else { return }
        accounts[ordinal].isClosed = true
        guard block.header.crc64 == accounts[ordinal].totals.crc64 else {
            throw ArchiveError(
                .checksumMismatch, "the CRC-64 of the namespace's documents does not match")
        }
    }

    /// Checks, at the archive's end, that namespaces are complete and are what the manifest says.
    ///
    /// - Parameter selected: positions of the namespaces that were read; nil for all.
    /// - Throws: `truncated` for a namespace without an end, `checksumMismatch`.
    public func close(
        manifest: Manifest?, selected: Set<UInt32>? = nil
    ) throws(ArchiveError) {
        for (ordinal, account) in accounts.enumerated() {
            guard selected?.contains(UInt32(ordinal)) ?? true,
                ordinals[names[ordinal]] == ordinal
            else { continue }
            guard account.isClosed else {
                throw ArchiveError(
                    .truncated, "the archive ends before its namespaces do",
                    namespace: names[ordinal].description)
            }
            if let manifest, manifest.namespaces[ordinal].totals != account.totals {
                throw ArchiveError(
                    .checksumMismatch, "documents are not those that the manifest counts",
                    namespace: names[ordinal].description)
            }
        }
        if let manifest, !preludeBytes.isEmpty { try comparePrelude(manifest) }
    }

    private func comparePrelude(_ manifest: Manifest) throws(ArchiveError) {
        var parser = MongodumpParser()
        parser.feed(preludeBytes)
        guard case .prelude(let prelude)? = try parser.next() else {
            throw ArchiveError(.malformed, "the prelude does not end")
        }
        guard prelude.namespaces == manifest.namespaces.map(\.descriptor) else {
            throw ArchiveError(.malformed, "the prelude and the manifest name different namespaces")
        }
    }
}
