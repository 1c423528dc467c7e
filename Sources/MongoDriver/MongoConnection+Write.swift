public import BSONBytes
import Synchronization

/// Numbers inserts. One count for the whole process: a number used twice in a session would make a
/// server take the second insert for done. It begins where libmongoc's counts never come to, which
/// number the transactions that the same session may have served before.
private let transactionCount = Atomic<Int64>(1 << 40)

/// How often an insert is sent again when the network fails or the primary changes. Each time
/// libmongoc waits for a primary up to `serverSelectionTimeoutMS`; an election takes some twelve
/// seconds.
private let repetitionCountMax = 3

extension MongoConnection {
    /// Inserts documents exactly as they are: no field name is looked at, none is added but the
    /// `_id` that a server adds where there is none.
    ///
    /// A command that failed for the network's or an election's sake is repeated; a replica set
    /// recognizes what it has done already. libmongoc would not do that for a raw `insert`.
    ///
    /// - Parameters:
    ///   - documents: whole documents, one after another. Cut into as many commands as their count
    ///     and size ask for.
    ///   - willSend: called before each command with the bytes and the number of its documents; may
    ///     wait, and may run other commands on this connection.
    /// - Returns: how many were inserted and which were refused. An ordered insert stops at the
    ///   first that was.
    /// - Throws: `CancellationError` between two commands; `BSONError` when the bytes are not whole
    ///   documents; `MongoError` when a command failed as a whole, after which it is unknown how
    ///   many were inserted.
    public func insert(
        _ documents: ArraySlice<UInt8>, into collection: String, on database: String,
        options: InsertOptions,
        willSend: (_ byteCount: Int, _ documentCount: Int) async throws -> Void = { _, _ in }
    ) async throws -> WriteResult {
        if options.ownsCollection, !options.isOrdered {
            return try await insertUnnumbered(
                documents, into: collection, on: database, options, willSend)
        }
        var commands = InsertCommands(documents, into: collection, options)
        var result = WriteResult()
        var indexOffset = 0
        if writeSession == nil, try client.recognizesRepetitions() {
            writeSession = try client.startSession()
        }
        while let command = try commands.next(transactionNumber: nextTransactionNumber()) {
            try await willSend(command.count, commands.documentCount - indexOffset)
            try Task.checkCancellation()
            let reply = try sendInsert(command, on: database)
            result.add(try WriteResult(reply.document(), indexOffset: indexOffset))
            indexOffset = commands.documentCount
            if options.isOrdered, !result.errors.isEmpty { break }
        }
        return result
    }

    /// Sends an `update`, `delete` or `insert` command and reads what it did.
    ///
    /// - Throws: `CancellationError` before anything is sent; `MongoError` when the command failed
    ///   as a whole.
    public func write(_ command: BSONDocument, on database: String) throws -> WriteResult {
        try WriteResult(run(command, on: database, as: .write))
    }

    private func nextTransactionNumber() -> Int64? {
        writeSession == nil
            ? nil : transactionCount.wrappingAdd(1, ordering: .relaxed).newValue
    }

    private func sendInsert(_ command: [UInt8], on database: String) throws -> Reply {
        let route = Route(kind: .write, session: writeSession)
        return try repeating(mayRepeat: writeSession != nil) { _ in
            reply(to: command, on: database, along: route)
        }
    }

    /// Inserts into a collection that is the caller's alone.
    private func insertUnnumbered(
        _ documents: ArraySlice<UInt8>, into collection: String, on database: String,
        _ options: InsertOptions,
        _ willSend: (_ byteCount: Int, _ documentCount: Int) async throws -> Void
    ) async throws -> WriteResult {
        var batches = DocumentBatches(
            documents, documentCountMax: options.documentCountMax,
            byteCountMax: BSONLimits.documentByteCountMax)
        var result = WriteResult()
        var indexOffset = 0
        while let batch = try batches.next() {
            try await willSend(batch.documents.count, batch.lengths.count)
            try Task.checkCancellation()
            var (reply, isRepetition) = try repeating(mayRepeat: true) { isRepetition in
                client.insertMany(batch, into: collection, on: database, options)
                    .map { ($0, isRepetition) }
            }
            if isRepetition { reply.countDuplicatesAsInserted() }
            result.add(reply.shifted(by: indexOffset))
            indexOffset += batch.lengths.count
        }
        return result
    }

    /// Sends something until it is answered, as often as `repetitionCountMax` allows.
    private func repeating<Answer>(
        mayRepeat: Bool, _ send: (_ isRepetition: Bool) -> Result<Answer, MongoError>
    ) throws -> Answer {
        var repetitionCount = 0
        while true {
            do { return try send(repetitionCount > 0).get() } catch {
                guard mayRepeat, error.isRetryable, repetitionCount < repetitionCountMax else {
                    throw error
                }
                repetitionCount += 1
                try Task.checkCancellation()
            }
        }
    }
}
