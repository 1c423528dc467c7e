public import BSONBytes

extension MongoConnection {
    /// Inserts documents exactly as they are: no field name is looked at, none is added but the
    /// `_id` that a server adds where there is none.
    ///
    /// - Parameter documents: whole documents, one after another. Cut into as many commands as
    ///   their count and size ask for.
    /// - Returns: how many were inserted and which were refused. An ordered insert stops at the
    ///   first that was.
    /// - Throws: `CancellationError` between two commands; `BSONError` when the bytes are not whole
    ///   documents; `MongoError` when a command failed as a whole, after which it is unknown how
    ///   many were inserted.
    public func insert(
        _ documents: ArraySlice<UInt8>, into collection: String, on database: String,
        options: InsertOptions
    ) throws -> WriteResult {
        var commands = InsertCommands(documents, into: collection, options)
        var result = WriteResult()
        var indexOffset = 0
        while let command = try commands.next() {
            try Task.checkCancellation()
            let reply = try reply(to: command, on: database, along: Route(kind: .write)).get()
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
}
