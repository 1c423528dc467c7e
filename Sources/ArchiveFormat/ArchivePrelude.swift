public import BSONBytes

/// The start of the archive: who wrote it, from which server, and every namespace that follows
/// (`formats/archive.md`, section 5.2). Written so that mongorestore reads it, and with the exact
/// options and indexes beside the JSON that mongorestore wants.
public struct ArchivePrelude: Hashable, Sendable {
    /// The archive version that mongodump writes.
    public static let version = "0.1"

    /// The version of a source that nobody knows, for mongorestore wants one.
    public static let noServerVersion = "0.0.0"

    /// The source's version, such as "6.0.5". mongorestore refuses what is not `a.b.c`.
    public var serverVersion: String
    public var toolVersion: String
    /// How many namespaces may be open at once.
    public var concurrentCollections: Int
    public var namespaces: [NamespaceDescriptor]

    public init(serverVersion: String, toolVersion: String, namespaces: [NamespaceDescriptor]) {
        self.serverVersion = serverVersion
        self.toolVersion = toolVersion
        self.namespaces = namespaces
        concurrentCollections = ArchiveLimits.concurrentCollections
    }

    /// The prelude in pieces of at most about `pieceByteCount`, cut between documents, each for a
    /// chunk of its own.
    ///
    /// - Throws: `malformed` when a namespace's options can't be written as Extended JSON.
    public func chunks(pieceByteCount: Int) throws(ArchiveError) -> [RawChunk] {
        var pieces: [RawChunk] = []
        var piece = MongodumpBlock.magic + headerDocument.bytes
        for descriptor in namespaces {
            let metadata = try Self.metadataDocument(descriptor)
            if piece.count + metadata.bytes.count > pieceByteCount {
                pieces.append(.prelude(piece))
                piece = []
            }
            piece += metadata.bytes
        }
        pieces.append(.prelude(piece + MongodumpBlock.terminator))
        return pieces
    }

    /// Reads a prelude from its documents: the header, then one for each namespace.
    ///
    /// - Throws: `malformed` for missing fields, `lengthOutOfBounds`.
    public init(documents: [BSONDocument]) throws(ArchiveError) {
        guard let header = documents.first else {
            throw ArchiveError(.malformed, "the archive has no header document")
        }
        guard documents.count - 1 <= ArchiveLimits.namespaceCountMax else {
            throw ArchiveError(.lengthOutOfBounds, "the archive lists too many namespaces")
        }
        do {
            serverVersion = try header.first("server_version")?.string ?? "unknown"
            toolVersion = try header.first("tool_version")?.string ?? "unknown"
            concurrentCollections = try header.first("concurrent_collections")?.wholeNumber ?? 0
            namespaces = []
            for document in documents.dropFirst() {
                namespaces.append(try Self.descriptor(document, serverVersion: serverVersion))
            }
        } catch let error as ArchiveError {
            throw error
        } catch {
            throw ArchiveError(.malformed, "the archive's prelude is damaged: \(error)")
        }
    }

    /// Whether the source's version is a version.
    public var statesServerVersion: Bool {
        let numbers = serverVersion.prefix { $0 != "-" && $0 != "+" }
            .split(separator: ".", omittingEmptySubsequences: false)
        return numbers.count == 3
            && numbers.allSatisfy {
                !$0.isEmpty && $0.utf8.allSatisfy { (0x30...0x39).contains($0) }
            }
    }

    /// The collection that holds the documents of a namespace on a server of that version.
    public static func dataCollection(
        of collection: String, type: NamespaceType, serverVersion: String
    ) -> String {
        type == .timeseries && keepsBucketsApart(serverVersion: serverVersion)
            ? "system.buckets." + collection : collection
    }

    /// Whether a server of that version keeps a time series' data in `system.buckets.X`; from 8.3
    /// on it does not.
    public static func keepsBucketsApart(serverVersion: String) -> Bool {
        let parts = serverVersion.split(whereSeparator: { !$0.isNumber }).compactMap { Int($0) }
        guard parts.count >= 2 else { return true }
        return (parts[0], parts[1]) < (8, 3)
    }

    private var headerDocument: BSONDocument {
        BSONDocument {
            $0.append("concurrent_collections", Int32(concurrentCollections))
            $0.append("version", Self.version)
            $0.append("server_version", serverVersion)
            $0.append("tool_version", toolVersion)
        }
    }

    private static func metadataDocument(
        _ descriptor: NamespaceDescriptor
    ) throws(ArchiveError) -> BSONDocument {
        let metadata = descriptor.isOplog ? "" : try MongodumpMetadata.encode(descriptor)
        return BSONDocument {
            $0.append("db", descriptor.namespace.database)
            $0.append("collection", descriptor.namespace.collection)
            $0.append("metadata", metadata)
            $0.append("size", Int32(0))
            $0.append("type", descriptor.type.rawValue)
            $0.append("cairn", BSONDocument { descriptor.appendCatalog(to: &$0) })
        }
    }

    private static func descriptor(
        _ document: BSONDocument, serverVersion: String
    ) throws -> NamespaceDescriptor {
        let namespace = Namespace(
            try document.require("db", \.string), try document.require("collection", \.string))
        do {
            let type = try document.first("type")?.string
            var descriptor = NamespaceDescriptor(
                namespace: namespace, type: type.flatMap(NamespaceType.init) ?? .collection)
            if let catalog = try document.first("cairn")?.document {
                try descriptor.readCatalog(from: catalog)
                return descriptor
            }
            try MongodumpMetadata.decode(
                try document.first("metadata")?.string ?? "", into: &descriptor)
            descriptor.dataCollection = dataCollection(
                of: namespace.collection, type: descriptor.type, serverVersion: serverVersion)
            return descriptor
        } catch {
            throw ArchiveError(
                .malformed, "the metadata of a namespace is damaged: \(error)",
                namespace: namespace.description)
        }
    }
}
