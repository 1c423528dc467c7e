public import BSONBytes

/// A replica set's own record of its changes. All questions go to the primary.
extension MongoConnection {
    /// The time of the newest entry.
    ///
    /// It is looked up from the end, which also shows entries that follow on others that are still
    /// being written. A read forward that begins afterwards waits for those, so that it has no
    /// holes: the storage engine hides what follows on a hole from reads in that direction only.
    ///
    /// - Throws: `MongoError` with `namespaceNotFound` when the server has no oplog.
    public func newestOplogTime() throws -> BSONTimestamp {
        try oplogTime(direction: -1)
    }

    /// The time of the oldest entry that the server still has.
    ///
    /// - Throws: `MongoError` with `namespaceNotFound` when the server has no oplog.
    public func oldestOplogTime() throws -> BSONTimestamp {
        try oplogTime(direction: 1)
    }

    /// Whether the primary has an entry of that time.
    public func hasOplogEntry(at time: BSONTimestamp) throws -> Bool {
        let command = BSONDocument {
            $0.append("find", "oplog.rs")
            $0.append("filter", BSONDocument { $0.append("ts", time) })
            $0.append("projection", BSONDocument { $0.append("ts", Int32(1)) })
            $0.append("limit", Int32(1))
            $0.append("singleBatch", true)
        }
        let reply = try run(command, on: "local", as: .primary)
        let cursor = try reply.requiredField("cursor", \.document)
        return try !cursor.documents(in: "firstBatch").isEmpty
    }

    /// The time of the first entry of any transaction that has begun to write entries and has
    /// neither been committed nor aborted; nil when there is none.
    public func oldestOpenTransactionTime() throws -> BSONTimestamp? {
        let command = BSONDocument {
            $0.append("find", "transactions")
            let states = BSONDocument { $0.append("$in", array: ["prepared", "inProgress"]) }
            $0.append("filter", BSONDocument { $0.append("state", states) })
            $0.append("sort", BSONDocument { $0.append("startOpTime.ts", Int32(1)) })
            $0.append("limit", Int32(1))
            $0.append("singleBatch", true)
        }
        let reply = try run(command, on: "config", as: .primary)
        let found = try reply.requiredField("cursor", \.document).documents(in: "firstBatch")
        return try found.first?.field("startOpTime", \.document)?.field("ts", \.timestamp)
    }

    /// For how many seconds the server keeps the history that snapshots are read from; nil when it
    /// does not say.
    public func snapshotHistorySeconds() throws -> Int? {
        let name = "minSnapshotHistoryWindowInSeconds"
        let command = BSONDocument {
            $0.append("getParameter", Int32(1))
            $0.append(name, Int32(1))
        }
        do {
            return try run(command, on: "admin").field(name, \.wholeNumber)
        } catch let error as MongoError where !error.isNetworkError {
            // Not allowed, or a server that has no such parameter.
            return nil
        }
    }

    /// Applies entries in their order, as a member does that follows the primary: an insert of what
    /// is there replaces it, a delete of what is missing is done already.
    ///
    /// - Parameter bypassingValidation: whether validators are passed by, which takes a privilege.
    /// - Throws: `MongoError`, with `unauthorized` for a user who may not do the same by ordinary
    ///   commands, before any of it is done.
    public func applyOperations(
        _ operations: [BSONDocument], bypassingValidation: Bool
    ) throws {
        let command = BSONDocument {
            $0.append("applyOps", array: operations)
            // One after another: all at once would keep everybody else from writing meanwhile.
            $0.append("allowAtomic", false)
            if bypassingValidation { $0.append("bypassDocumentValidation", true) }
        }
        let reply = try run(command, on: "admin", as: .primary)
        guard try reply.values(in: "results").allSatisfy({ $0.bool == true }) else {
            throw MongoError(.command, "the server could not apply entries of the oplog")
        }
    }

    private func oplogTime(direction: Int32) throws -> BSONTimestamp {
        let command = BSONDocument {
            $0.append("find", "oplog.rs")
            $0.append("hint", BSONDocument { $0.append("$natural", direction) })
            $0.append("projection", BSONDocument { $0.append("ts", Int32(1)) })
            $0.append("limit", Int32(1))
            $0.append("singleBatch", true)
        }
        let reply = try run(command, on: "local", as: .primary)
        let found = try reply.requiredField("cursor", \.document).documents(in: "firstBatch")
        guard let entry = found.first else {
            throw MongoError(.namespaceNotFound, "the server has no oplog")
        }
        return try entry.requiredField("ts", \.timestamp)
    }
}
