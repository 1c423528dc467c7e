internal import ArchiveFormat
internal import BSONBytes
internal import MongoDriver

extension NamespaceDescriptor {
    /// A collection of a server, with its indexes.
    ///
    /// - Throws: `MongoError`; with `namespaceNotFound` when it was dropped meanwhile.
    init(
        _ info: CollectionInfo, in database: String, _ pool: MongoPool, _ server: ServerInfo
    ) async throws {
        let type = NamespaceType(rawValue: info.type) ?? .collection
        self.init(
            namespace: Namespace(database, info.name), type: type,
            dataCollection: ArchivePrelude.dataCollection(
                of: info.name, type: type, serverVersion: server.versionString),
            options: info.options)
        if type != .view {
            indexes = try await pool.withConnection { connection in
                try await connection.indexes(of: info.name, in: database)
            }
        }
        uuid = info.uuid
    }
}

extension NamespaceDescriptor {
    /// The same with what a live collection was made with: its kind, its options and its index on
    /// `_id`. Other indexes stay those of this one.
    func made(as info: CollectionInfo) throws -> NamespaceDescriptor {
        var present = self
        present.options = info.options
        present.type = NamespaceType(rawValue: info.type) ?? .collection
        let others = try indexes.filter { try $0.first("name")?.string != "_id_" }
        present.indexes = [info.idIndex].compactMap(\.self) + others
        return present
    }
}
