public import BSONBytes

/// What an archive says of itself as a whole: what, when, from where, how consistent, and each
/// namespace with its totals. One BSON document at the start of the index (`formats/archive.md`,
/// section 6.2).
public struct Manifest: Hashable, Sendable {
    public static let formatVersion = 1

    /// The snapshot's identifier, such as `20261123T084512Z-manual-3f9a1c`.
    public var id: String
    /// The tool that wrote it, such as "cairn 0.1.0".
    public var tool: String
    /// When the backup began and ended, in milliseconds since 1970 UTC.
    public var startedAt: Int64
    public var finishedAt: Int64
    /// What a person wrote about it; nil when nobody did.
    public var description: String?
    public var source: Source
    public var consistency: Consistency
    public var selection: Selection
    public var compression: Compression
    /// Raw bytes that chunks were cut at.
    public var chunkTargetByteCount: Int
    /// What the archive lacks of the one that it was salvaged from; nil for whole ones.
    public var loss: Loss?
    /// In the prelude's order: a chunk's namespace ordinal is a position here.
    public var namespaces: [NamespaceEntry]

    public init(
        id: String, tool: String, startedAt: Int64, source: Source, consistency: Consistency,
        selection: Selection, compression: Compression
    ) {
        self.id = id
        self.tool = tool
        self.startedAt = startedAt
        finishedAt = startedAt
        self.source = source
        self.consistency = consistency
        self.selection = selection
        self.compression = compression
        chunkTargetByteCount = ArchiveLimits.chunkTargetByteCountDefault
        namespaces = []
    }

    /// The server that was backed up; never credentials.
    public struct Source: Hashable, Sendable {
        /// Host and port of the members named in the connection string.
        public var hosts: [String]
        public var serverVersion: String
        /// Name of the replica set; nil for a standalone server.
        public var replicaSet: String?

        public init(hosts: [String], serverVersion: String, replicaSet: String?) {
            self.hosts = hosts
            self.serverVersion = serverVersion
            self.replicaSet = replicaSet
        }
    }

    /// What instant the snapshot is of, as it really was achieved.
    public enum Consistency: Hashable, Sendable {
        /// All collections as they were at one cluster time.
        case snapshot(BSONTimestamp)
        /// Each collection as its cursor found it between two cluster times, and every change of
        /// that time in the archive's oplog: with those replayed, all collections are as they were
        /// at the later one.
        case oplog(from: BSONTimestamp, to: BSONTimestamp)
        /// Each collection as its cursor found it.
        case none

        /// The word for it in the manifest, in JSON and on the screen.
        public var name: String {
            switch self {
            case .snapshot: "snapshot"
            case .oplog: "oplog"
            case .none: "none"
            }
        }
    }

    /// What could not be saved of a damaged archive.
    public struct Loss: Hashable, Sendable {
        /// Chunks that are known to be gone.
        public var chunkCount: Int
        /// Documents that are known to be gone; nil when nobody knows how many.
        public var documentCount: UInt64?
        /// Whether more may be gone than is known.
        public var mayBeMore: Bool

        public init(chunkCount: Int, documentCount: UInt64?, mayBeMore: Bool) {
            self.chunkCount = chunkCount
            self.documentCount = documentCount
            self.mayBeMore = mayBeMore
        }
    }

    /// What the user asked for.
    public struct Selection: Hashable, Sendable {
        public var database: String?
        public var namespacesIncluded: [String]
        public var namespacesExcluded: [String]

        public init(
            database: String? = nil, namespacesIncluded: [String] = [],
            namespacesExcluded: [String] = []
        ) {
            self.database = database
            self.namespacesIncluded = namespacesIncluded
            self.namespacesExcluded = namespacesExcluded
        }
    }

    /// A namespace and what the archive holds of it.
    public struct NamespaceEntry: Hashable, Sendable {
        public var descriptor: NamespaceDescriptor
        public var totals = DocumentTotals()
        /// First and last chunk with its blocks; nil only before it was written.
        public var chunks: ClosedRange<UInt32>?
        /// How it was read when that was not as the manifest says: such as a capped collection
        /// beside a snapshot.
        public var consistency: Consistency?

        public init(_ descriptor: NamespaceDescriptor) {
            self.descriptor = descriptor
        }
    }

    /// Totals over all namespaces.
    public var documentCount: UInt64 { sum(\.documentCount) }
    /// Bytes of all documents, uncompressed.
    public var documentByteCount: UInt64 { sum(\.byteCount) }

    private func sum(_ part: (DocumentTotals) -> UInt64) -> UInt64 {
        namespaces.map { part($0.totals) }.clampedSum()
    }
}

extension Sequence where Element == UInt64 {
    /// A sum that ends at the largest number: the parts may be read from a damaged file.
    public func clampedSum() -> UInt64 {
        reduce(0) { sum, number in
            let (next, isOverflow) = sum.addingReportingOverflow(number)
            return isOverflow ? .max : next
        }
    }
}
