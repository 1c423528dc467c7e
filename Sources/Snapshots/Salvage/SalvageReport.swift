public import ArchiveFormat
public import BSONBytes

/// What a salvage found and wrote.
public struct SalvageReport: Sendable {
    /// What is gone of one namespace.
    public struct Loss: Sendable {
        /// Nil when nobody knows which namespaces the lost chunks were of.
        public var namespace: Namespace?
        public var chunkCount: Int
        /// Documents that are gone; nil when unknown.
        public var documentCount: UInt64?
        /// Ranges of `_id` that the lost chunks covered, where the index tells; other documents of
        /// the same range may be there.
        public var ranges: [ClosedRange<DocumentKey>] = []
        /// Why that is all that is known, or what else is wrong; nil when there is nothing to say.
        public var remark: String?
    }

    /// The new archive's manifest.
    public var manifest: Manifest
    /// Key in the repository, or path of the file; nil for a pipe.
    public var place: String?
    public var storedByteCount: UInt64
    public var seal: SHA256Digest
    public var seconds: Double
    /// Chunks that were taken over, or read from an archive of another tool.
    public var chunkCount: Int
    /// Empty when nothing is gone.
    public var losses: [Loss]
    /// Whether options and indexes of the collections are known.
    public var hasCatalog: Bool
    /// Where and why reading ended early; nil when all of the archive could be read.
    public var ending: String?

    /// Whether everything that the archive ever held is in the new one, as far as anybody can
    /// know.
    public var isComplete: Bool { losses.isEmpty && ending == nil && hasCatalog }
}
