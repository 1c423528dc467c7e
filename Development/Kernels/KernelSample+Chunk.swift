internal import ArchiveFormat

extension KernelSample {
    /// The namespace that the documents pass for.
    static let namespace = Namespace("kernels", "sample")

    /// One chunk of all documents, in one block.
    func chunk() -> RawChunk {
        var builder = RawChunkBuilder(
            .data, namespaceOrdinal: 0, capacityByteCount: bytes.count + 256)
        builder.beginBlock(Self.namespace, ordinal: 0)
        forEachDocument { builder.append($0) }
        builder.endBlock()
        return builder.finished()
    }

    /// The same chunk compressed as a backup does it.
    ///
    /// - Throws: never in practice; `ArchiveError`.
    func encodedChunk() throws -> EncodedChunk {
        try EncodedChunk(chunk(), sequence: 0, compression: .standard)
    }
}
