internal import ArchiveFormat
internal import BSONBytes
internal import MongoDriver

/// Deletes documents of a live collection by their `_id`s: the last step of making it equal to a
/// snapshot.
struct DocumentRemoval: Sendable {
    let namespace: Namespace
    let pool: MongoPool

    /// Deletes those that are there, in one command.
    ///
    /// - Throws: `MongoError`; `refused` when the server did not delete one.
    func remove(_ ids: [BSONValue]) async throws {
        guard !ids.isEmpty else { return }
        let statements = ids.map { id in
            BSONDocument {
                let equal = BSONDocument { $0.append("$eq", id) }
                $0.append("q", BSONDocument { $0.append("_id", equal) })
                $0.append("limit", Int32(1))
            }
        }
        let command = BSONDocument {
            $0.append("delete", namespace.collection)
            $0.append("deletes", array: statements)
        }
        let result = try await pool.withConnection { connection in
            try await connection.write(command, on: namespace.database)
        }
        if let error = result.errors.first {
            throw SnapshotError(
                .refused, "a document of \(namespace) could not be deleted: \(error)")
        }
    }
}
