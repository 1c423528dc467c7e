public import BSONBytes

/// What is there. All questions go to the primary, or to the one server of a direct connection.
extension MongoConnection {
    /// Version, role and limits of the server.
    public func serverInfo() throws -> ServerInfo {
        let hello = try run(BSONDocument { $0.append("hello", Int32(1)) }, on: "admin")
        let build = try run(BSONDocument { $0.append("buildInfo", Int32(1)) }, on: "admin")
        return try ServerInfo(hello: hello, buildInfo: build)
    }

    /// The version whose data files and features the server keeps to, which may be older than its
    /// own; nil where it may not be asked, and for routers.
    public nonisolated func featureCompatibilityVersion() async throws -> ServerInfo.Version? {
        let command = BSONDocument {
            $0.append("getParameter", Int32(1))
            $0.append("featureCompatibilityVersion", Int32(1))
        }
        do {
            let reply = try await run(command, on: "admin")
            let parameter = try reply.field("featureCompatibilityVersion", \.document)
            let text = try parameter?.field("version", \.string)
            return text.flatMap { ServerInfo.Version(parsing: $0) }
        } catch let error as MongoError where error.code == .unauthorized {
            return try await storedCompatibilityVersion()
        } catch let error as MongoError where error.code == .command {
            return nil
        }
    }

    /// The same from where a server stores it.
    private nonisolated func storedCompatibilityVersion() async throws -> ServerInfo.Version? {
        let command = BSONDocument {
            $0.append("find", "system.version")
            $0.append("filter", BSONDocument { $0.append("_id", "featureCompatibilityVersion") })
        }
        do {
            let stored = try await list(command, in: "admin").first
            let text = try stored?.field("version", \.string)
            return text.flatMap { ServerInfo.Version(parsing: $0) }
        } catch let error as MongoError where error.code == .unauthorized {
            return nil
        }
    }

    /// Names of the databases, `admin`, `config` and `local` included.
    ///
    /// - Parameter mustBeComplete: whether a user who may not see all of them is refused; else they
    ///   get those that they may see, and no word about the rest.
    /// - Throws: `MongoError` with `unauthorized`.
    public func databaseNames(mustBeComplete: Bool = false) throws -> [String] {
        let command = BSONDocument {
            $0.append("listDatabases", Int32(1))
            $0.append("nameOnly", true)
            if mustBeComplete { $0.append("authorizedDatabases", false) }
        }
        let databases = try run(command, on: "admin").documents(in: "databases")
        return try databases.map { try $0.requiredField("name", \.string) }
    }

    /// All collections, views and time-series collections of a database, `system` ones included, in
    /// the server's order.
    public nonisolated func collections(in database: String) async throws -> [CollectionInfo] {
        let command = BSONDocument {
            $0.append("listCollections", Int32(1))
            $0.append("cursor", BSONDocument())
        }
        return try await list(command, in: database).map { try CollectionInfo($0) }
    }

    /// What there is of that name; nil for nothing. Cost: one entry, however many there are.
    public nonisolated func collection(
        _ collection: String, in database: String
    ) async throws -> CollectionInfo? {
        let command = BSONDocument {
            $0.append("listCollections", Int32(1))
            $0.append("filter", BSONDocument { $0.append("name", collection) })
            $0.append("cursor", BSONDocument())
        }
        return try await list(command, in: database).first.map { try CollectionInfo($0) }
    }

    /// Whether there is a collection or view of that name. Cost: one entry, however many there are.
    public nonisolated func hasCollection(
        _ collection: String, in database: String
    ) async throws -> Bool {
        let command = BSONDocument {
            $0.append("listCollections", Int32(1))
            $0.append("filter", BSONDocument { $0.append("name", collection) })
            $0.append("nameOnly", true)
            $0.append("cursor", BSONDocument())
        }
        return try await !list(command, in: database).isEmpty
    }

    /// A collection's index specifications in the server's order, `_id` first.
    ///
    /// - Throws: `MongoError` with `namespaceNotFound` when there is no such collection.
    public nonisolated func indexes(
        of collection: String, in database: String
    ) async throws -> [BSONDocument] {
        let command = BSONDocument {
            $0.append("listIndexes", collection)
            $0.append("cursor", BSONDocument())
        }
        return try await list(command, in: database)
    }

    /// A collection's count and sizes as the server keeps them.
    ///
    /// - Throws: `MongoError` with `command` for a view. A collection that does not exist is empty.
    public func statistics(
        of collection: String, in database: String
    ) throws -> CollectionStatistics {
        let command = BSONDocument { $0.append("collStats", collection) }
        return try CollectionStatistics(run(command, on: database, as: .read))
    }

    /// How many documents a request would give. Cost: a scan, on the server.
    public func count(_ request: FindRequest) throws -> Int64 {
        let command = BSONDocument {
            $0.append("aggregate", request.collection)
            let group = BSONDocument { $0.append("$count", "count") }
            $0.append("pipeline", array: [group])
            $0.append("cursor", BSONDocument())
            if let concern = request.readConcern(level: client.readConcernLevel) {
                $0.append("readConcern", concern)
            }
        }
        let reply = try run(command, on: request.database, as: .read)
        let batch = try reply.requiredField("cursor", \.document).documents(in: "firstBatch")
        return Int64(try batch.first?.field("count", \.wholeNumber) ?? 0)
    }

    /// The server's clock, in milliseconds since 1970 UTC.
    public func localTime() throws -> Int64 {
        let hello = try run(BSONDocument { $0.append("hello", Int32(1)) }, on: "admin")
        return try hello.requiredField("localTime", \.dateMilliseconds)
    }

    /// Bytes of all documents of a database, uncompressed, as the server keeps them.
    public func documentByteCount(of database: String) throws -> Int {
        let command = BSONDocument { $0.append("dbStats", Int32(1)) }
        let reply = try run(command, on: database, as: .read)
        // A whole number as a double, and beyond 2^53 only nearly so.
        return try reply.field("dataSize") { value in
            value.wholeNumber ?? value.double.flatMap { Int(exactly: $0.rounded()) }
        } ?? 0
    }

    /// The primary's logical time now; nil for a standalone server.
    ///
    /// A snapshot read at this time sees every write acknowledged before the call, whatever its
    /// write concern. The time itself may not be committed by a majority yet: such a read waits on
    /// the server until it is, and should the primary lose its place before that, the read fails
    /// rather than show what was rolled back.
    public func operationTime() throws -> BSONTimestamp? {
        let reply = try run(BSONDocument { $0.append("ping", Int32(1)) }, on: "admin")
        return try reply.field("operationTime", \.timestamp)
    }

    private nonisolated func list(
        _ command: BSONDocument, in database: String
    ) async throws -> [BSONDocument] {
        try await withCursor(command, on: database, as: .primary) { cursor in
            var entries: [BSONDocument] = []
            while let batch = try await cursor.nextBatch() { entries += try batch.documents() }
            return entries
        }
    }
}
