public import BSONBytes

/// The commands of a multi-document transaction: all of it happens, or nothing. Lives within
/// `withTransaction`.
public struct MongoTransaction: Sendable {
    let connection: MongoConnection
    let session: Session

    /// Sends a command as part of the transaction.
    ///
    /// - Parameter command: without concerns, which are the transaction's.
    /// - Throws: as `MongoConnection.run`.
    public func run(_ command: BSONDocument, on database: String) async throws -> BSONDocument {
        try await connection.run(command, on: database, within: session)
    }

    /// Inserts documents exactly as they are, in their order.
    ///
    /// - Parameter documents: whole documents, one after another.
    /// - Throws: as `run`; `WriteError` for the first document that the server refused.
    public func insert(
        _ documents: ArraySlice<UInt8>, into collection: String, on database: String,
        options: InsertOptions
    ) async throws {
        var commands = InsertCommands(documents, into: collection, options)
        while let command = try commands.next() {
            let reply = try await connection.run(
                BSONDocument(validating: command, limit: command.count), on: database,
                within: session)
            if let error = try WriteResult(reply).errors.first { throw error }
        }
    }

    /// The documents of a reply to a command that answers with a cursor.
    ///
    /// - Throws: as `run`; `MongoError` with `protocolViolation` when one reply does not hold all.
    public func documents(
        _ command: BSONDocument, on database: String
    ) async throws -> [BSONDocument] {
        let reply = try await run(command, on: database)
        let cursor = try reply.requiredField("cursor", \.document)
        guard try cursor.requiredField("id", \.wholeNumber) == 0 else {
            throw MongoError(.protocolViolation, "more documents than one reply holds")
        }
        return try cursor.documents(in: "firstBatch")
    }
}

extension MongoConnection {
    /// How often a commit whose outcome is unknown is sent again.
    private static let commitCountMax = 3

    /// Runs `body` in a transaction with write concern `{w: 1}` and commits it; when `body` throws,
    /// nothing of it has happened. Replica sets and sharded clusters have transactions; servers end
    /// them after a minute.
    ///
    /// - Throws: what `body` throws; `MongoError`. With the label `TransientTransactionError` the
    ///   whole of it may be tried again.
    public nonisolated func withTransaction<Result>(
        _ body: (MongoTransaction) async throws -> Result
    ) async throws -> Result {
        let transaction = try await beginTransaction()
        do {
            let result = try await body(transaction)
            try await commit(transaction)
            return result
        } catch {
            await abort(transaction)
            throw error
        }
    }

    func run(
        _ command: BSONDocument, on database: String, within session: Session
    ) throws -> BSONDocument {
        try Task.checkCancellation()
        let route = Route(kind: .primary, session: session)
        return try reply(to: command.bytes, on: database, along: route).get().document()
    }

    private func beginTransaction() throws -> MongoTransaction {
        let session = try client.startSession()
        try session.startTransaction()
        return MongoTransaction(connection: self, session: session)
    }

    private func commit(_ transaction: MongoTransaction) throws {
        var attemptCount = 1
        while true {
            do {
                try transaction.session.commitTransaction()
                return
            } catch {
                let isUnknown = error.labels.contains("UnknownTransactionCommitResult")
                guard isUnknown, attemptCount < Self.commitCountMax else { throw error }
                attemptCount += 1
            }
        }
    }

    /// What can't be aborted, the server ends by itself.
    private func abort(_ transaction: MongoTransaction) {
        transaction.session.abortTransaction()
    }
}
