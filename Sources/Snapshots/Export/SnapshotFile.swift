internal import ArchiveEngine
public import ArchiveFormat
internal import ObjectStorage

/// A snapshot's archive as a file that somebody takes away: stored, or decoded to the mongodump
/// archive that it holds.
public struct SnapshotFile: Sendable {
    /// The key in the repository, a good name for the file.
    public let name: String
    public let codec: Codec
    /// Bytes as stored.
    public let byteCount: UInt64
    /// The hash that stands for all of them.
    public let seal: SHA256Digest
    private let source: ObjectSource

    /// Opens a snapshot of a repository; it stays readable when it is deleted meanwhile.
    ///
    /// - Throws: `SnapshotError` with `notFound`; `ArchiveError` for one without a whole index.
    public init(_ id: String, in catalog: SnapshotCatalog) async throws {
        name = try await catalog.key(for: id)
        source = try await catalog.source(ofKey: name)
        let reader = try await IndexedArchiveReader(source)
        byteCount = source.byteCount
        seal = reader.seal
        codec = reader.index.manifest.compression.codec
    }

    /// Stored bytes from an offset on; fewer only at the end.
    ///
    /// - Throws: `ObjectStorageError`.
    public func read(at offset: UInt64, count: Int) async throws -> [UInt8] {
        try await source.read(at: offset, count: count)
    }

    /// Gives the mongodump archive to `deliver`, a chunk at a time, in order. Each is checked
    /// before it is given.
    ///
    /// - Parameter width: how many chunks are decoded at once.
    /// - Throws: `ArchiveError`, `ObjectStorageError`, and what `deliver` throws.
    public func decode(
        width: Int, deliver: (DecodedChunk) async throws -> Void
    ) async throws {
        let reader = try await IndexedArchiveReader(source)
        try await withOrderedWindow(
            width: width, next: { try await reader.next() },
            transform: { (pending: PendingChunk) in try pending.decoded() }, deliver: deliver)
    }
}
