internal import ArchiveEngine
internal import ArchiveFormat

/// A chunk of an archive that is not whole, which is taken over into a new one as it is stored.
struct KeptChunk: Sendable {
    let chunk: ArchiveSalvager.WholeChunk
    /// Whether no other chunk of its namespace follows.
    let closesNamespace: Bool

    /// The chunk as it is written.
    ///
    /// - Parameter ordinals: positions in the new prelude, by the names that blocks have.
    /// - Throws: `ArchiveError` when it is not what it was a moment ago.
    func piece(
        from source: ObjectSource, _ ordinals: [Namespace: UInt32]
    ) async throws -> ArchiveWriter.Piece {
        let stored = try await source.read(
            at: chunk.offset, count: Int(chunk.header.storedByteCount))
        return .encoded(
            try EncodedChunk(
                adopting: stored, DecodedChunk(stored: stored, header: chunk.header),
                ordinals: ordinals, closesNamespace: closesNamespace))
    }
}
