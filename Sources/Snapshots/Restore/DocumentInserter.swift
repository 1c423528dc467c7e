internal import ArchiveFormat
internal import BSONBytes
internal import MongoDriver

/// Inserts documents so that they are stored byte for byte.
struct DocumentInserter: Sendable {
    let pool: MongoPool
    let server: ServerInfo
    let namespace: Namespace
    var isOrdered = false
    /// Validators judge what applications write, not what was there already.
    var bypassesValidation = true

    /// Inserts whole documents, one after another.
    func insert(_ documents: ArraySlice<UInt8>) async throws -> WriteResult {
        try await pool.withConnection { connection in
            try await insert(documents, connection)
        }
    }

    /// The same, on a connection that the caller has.
    func insert(
        _ documents: ArraySlice<UInt8>, _ connection: MongoConnection
    ) async throws -> WriteResult {
        var options = InsertOptions()
        options.isOrdered = isOrdered
        options.bypassDocumentValidation = bypassesValidation
        options.bypassEmptyTimestampReplacement = server.keepsEmptyTimestamps
        options.writeConcern = BSONDocument { $0.append("w", Int32(1)) }
        return try await connection.insert(
            documents, into: namespace.collection, on: namespace.database, options: options)
    }
}

extension ServerInfo {
    /// Whether inserts can be told to leave `Timestamp(0,0)` alone (SERVER-88750: 5.0.29, 6.0.17, 7.0.13, 8.0).
    var keepsEmptyTimestamps: Bool {
        let firstOfBranch: [Int: Version] = [
            5: Version(5, 0, 29), 6: Version(6, 0, 17), 7: Version(7, 0, 13),
        ]
        guard let first = firstOfBranch[version.major] else { return version.major >= 8 }
        return !(version < first)
    }
}
