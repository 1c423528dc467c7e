public import ArchiveFormat

/// Reads a whole archive and checks everything that can be checked without a server: every byte's
/// hash, every chunk's counts, every namespace's checksum and fingerprint, and that nothing is
/// missing or left over.
public enum ArchiveVerifier {
    /// What was found whole.
    public struct Report: Sendable {
        public var namespaceCount: Int
        /// How many documents each namespace has, in the order of the prelude.
        public var documentCounts: [(descriptor: NamespaceDescriptor, count: UInt64)]
        public var chunkCount: Int
        public var documentCount: UInt64
        /// Bytes of the documents, uncompressed.
        public var documentByteCount: UInt64
        /// Bytes of the archive.
        public var storedByteCount: UInt64
        /// Whether every chunk had checksums of its own, as archives of other tools have not.
        public var hasChunkChecksums: Bool
        /// Whether its documents had any checksum at all, as in the folders of mongodump they have
        /// not.
        public var hasChecksums: Bool
    }

    /// Checks an archive.
    ///
    /// Memory: (`width` + 1) × (a stored chunk + a raw chunk).
    /// - Parameters:
    ///   - width: how many chunks are decoded at once, at least 1.
    ///   - progress: called after each chunk with the bytes it takes in the archive and those of
    ///     its documents.
    ///   - inspect: called with each chunk that was found whole, in file order.
    /// - Throws: `ArchiveError` at the first defect, and what `inspect` throws.
    public static func verify(
        _ reader: any ArchiveReader, width: Int,
        progress: (_ storedByteCount: Int, _ documents: DocumentTotals) -> Void = { _, _ in },
        inspect: (DecodedChunk) throws -> Void = { _ in }
    ) async throws -> Report {
        var ledger = ArchiveLedger(reader.prelude)
        var chunkCount = 0
        var storedByteCount: UInt64 = 0
        try await withOrderedWindow(
            width: width, ahead: 1, next: { try await reader.next() },
            transform: { (pending: PendingChunk) async throws -> Checked in
                Checked(chunk: try pending.decoded(), storedByteCount: pending.storedByteCount)
            },
            deliver: { checked in
                try ledger.enter(checked.chunk)
                try inspect(checked.chunk)
                chunkCount += 1
                storedByteCount += UInt64(checked.storedByteCount)
                progress(checked.storedByteCount, checked.totals)
            })
        try ledger.close(manifest: reader.manifest)
        let totals = ledger.totals
        return Report(
            namespaceCount: reader.prelude.namespaces.count,
            documentCounts: reader.prelude.namespaces.enumerated().map { ordinal, descriptor in
                (descriptor, ledger.totals(of: ordinal).documentCount)
            }, chunkCount: chunkCount,
            documentCount: totals.documentCount, documentByteCount: totals.byteCount,
            storedByteCount: reader.storedByteCount ?? storedByteCount,
            hasChunkChecksums: reader.manifest != nil, hasChecksums: reader.hasChecksums)
    }
}

/// A decoded chunk on its way to the ledger.
private struct Checked: Sendable {
    var chunk: DecodedChunk
    var storedByteCount: Int

    var totals: DocumentTotals {
        chunk.blocks.reduce(into: DocumentTotals()) { $0.append($1.totals) }
    }
}
