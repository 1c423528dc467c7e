public import BSONBytes

/// What a namespace is, apart from its documents: all that is needed to make it again.
public struct NamespaceDescriptor: Hashable, Sendable {
    /// The namespace as users know it: a time series by its own name, not its buckets'.
    public var namespace: Namespace
    public var type: NamespaceType
    /// The collection that its blocks name: `system.buckets.X` for a time series of a server before
    /// 8.3.
    public var dataCollection: String
    /// The collection's options as the server lists them, byte for byte.
    public var options: BSONDocument
    /// The indexes as the server lists them, byte for byte, in the server's order.
    public var indexes: [BSONDocument]
    /// The collection's identity on its server, 16 bytes; nil when the server gave none.
    public var uuid: [UInt8]?

    public init(
        namespace: Namespace, type: NamespaceType, dataCollection: String? = nil,
        options: BSONDocument = BSONDocument(), indexes: [BSONDocument] = []
    ) {
        self.namespace = namespace
        self.type = type
        self.dataCollection = dataCollection ?? namespace.collection
        self.options = options
        self.indexes = indexes
    }

    /// The namespace that its blocks name.
    public var dataNamespace: Namespace { Namespace(namespace.database, dataCollection) }

    /// Whether users, roles or the authorization schema are kept in it.
    public var isAuthorization: Bool {
        namespace.database == "admin"
            && ["system.users", "system.roles", "system.version"].contains(namespace.collection)
    }

    /// The oplog of an archive: every change that was made while the other namespaces were read.
    public static let oplog = NamespaceDescriptor(
        namespace: Namespace("", "oplog"), type: .special)

    /// Whether it is the archive's oplog.
    public var isOplog: Bool { namespace == Self.oplog.namespace }

    /// The fields that the prelude and the manifest share.
    func appendCatalog(to builder: inout BSONBuilder) {
        builder.append("data_collection", dataCollection)
        builder.append("options", options)
        builder.append("indexes", array: indexes)
        if let uuid { builder.append("uuid", binary: uuid, subtype: 4) }
    }

    /// Reads what `appendCatalog` wrote.
    mutating func readCatalog(from document: BSONDocument) throws {
        dataCollection = try document.require("data_collection", \.string)
        options = try document.require("options", \.document)
        indexes =
            try document.require("indexes") { $0.type == .array ? $0 : nil }
            .array()?.compactMap(\.document) ?? []
        uuid = try document.first("uuid")?.binary.map { Array($0.payload) }
    }
}
