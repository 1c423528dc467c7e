public import BSONBytes

/// What `listCollections` says about a collection, view or time-series collection.
public struct CollectionInfo: Hashable, Sendable {
    /// The name without its database; any UTF-8.
    public let name: String
    /// `collection`, `view` or `timeseries`.
    public let type: String
    /// What it was created with, as `create` takes it.
    public let options: BSONDocument
    /// Sixteen bytes that stay when it is renamed; nil for views.
    public let uuid: [UInt8]?
    /// The index on `_id`; nil for views, and where there is none.
    public let idIndex: BSONDocument?
    /// Whether nothing can be written to it, as for views.
    public let isReadOnly: Bool

    init(_ entry: BSONDocument) throws(MongoError) {
        name = try entry.requiredField("name", \.string)
        type = try entry.field("type", \.string) ?? "collection"
        options = try entry.field("options", \.document) ?? BSONDocument()
        let info = try entry.field("info", \.document) ?? BSONDocument()
        uuid = try info.field("uuid") { $0.binary.map { Array($0.payload) } }
        idIndex = try entry.field("idIndex", \.document)
        isReadOnly = try info.field("readOnly", \.bool) ?? false
    }
}

/// What a server knows about a collection's size without reading it; may be off after a crash.
public struct CollectionStatistics: Hashable, Sendable {
    /// Documents, or buckets of a time-series collection.
    public let documentCount: Int
    /// Bytes of the documents, uncompressed.
    public let byteCount: Int
    /// Bytes on the server's disk, without indexes.
    public let storageByteCount: Int
    /// Bytes of the indexes on the server's disk.
    public let indexByteCount: Int

    init(_ reply: BSONDocument) throws(MongoError) {
        documentCount = try reply.field("count", \.wholeNumber) ?? 0
        byteCount = try reply.field("size", \.wholeNumber) ?? 0
        storageByteCount = try reply.field("storageSize", \.wholeNumber) ?? 0
        indexByteCount = try reply.field("totalIndexSize", \.wholeNumber) ?? 0
    }
}
