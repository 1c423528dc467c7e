public import BSONBytes

/// Changes of what is there, with the connection string's write concern.
extension MongoConnection {
    /// Creates a collection, view or time-series collection.
    ///
    /// - Parameter options: as `CollectionInfo.options` has them.
    /// - Throws: `MongoError` with `namespaceExists` when there is one with other options.
    public func createCollection(
        _ collection: String, in database: String, options: BSONDocument = BSONDocument()
    ) throws {
        var builder = BSONBuilder()
        builder.append("create", collection)
        try options.elements().forEach { builder.append($0) }
        _ = try run(builder.document, on: database, as: .write)
    }

    /// Builds indexes and waits for them, at most for the `socketTimeoutSeconds` of the `MongoURI`:
    /// use one with hours for it.
    ///
    /// - Parameters:
    ///   - specifications: as `indexes(of:in:)` returns them; none is nothing to do.
    ///   - ignoresUnknownOptions: whether the server leaves out options that it does not know,
    ///     instead of refusing them; for servers from 4.2 on.
    public func createIndexes(
        _ specifications: [BSONDocument], of collection: String, in database: String,
        ignoresUnknownOptions: Bool = false
    ) throws {
        guard !specifications.isEmpty else { return }
        let command = BSONDocument {
            $0.append("createIndexes", collection)
            $0.append("indexes", array: specifications)
            if ignoresUnknownOptions { $0.append("ignoreUnknownIndexOptions", true) }
        }
        _ = try run(command, on: database, as: .write)
    }

    /// Removes an index; one that does not exist is removed already.
    public func dropIndex(_ name: String, of collection: String, in database: String) throws {
        let command = BSONDocument {
            $0.append("dropIndexes", collection)
            $0.append("index", name)
        }
        do { _ = try run(command, on: database, as: .write) } catch let error as MongoError
            where error.serverCode == MongoError.indexNotFound
        { return }
    }

    /// Gives a collection another name, also in another database, at once.
    ///
    /// - Parameters:
    ///   - source, target: database and collection, joined by a dot.
    ///   - dropTarget: replace a collection of that name instead of failing.
    ///   - writeConcern: nil takes the connection string's.
    public func renameCollection(
        from source: String, to target: String, dropTarget: Bool,
        writeConcern: BSONDocument? = nil
    ) throws {
        let command = BSONDocument {
            $0.append("renameCollection", source)
            $0.append("to", target)
            $0.append("dropTarget", dropTarget)
            if let writeConcern { $0.append("writeConcern", writeConcern) }
        }
        _ = try run(command, on: "admin", as: .write)
    }

    /// Removes a collection; one that does not exist is removed already.
    public func dropCollection(_ collection: String, in database: String) throws {
        _ = try removeCollection(collection, in: database)
    }

    /// The same.
    ///
    /// - Returns: whether there was one; false for a view, too.
    public func removeCollection(_ collection: String, in database: String) throws -> Bool {
        let command = BSONDocument { $0.append("drop", collection) }
        do {
            // Servers from 7.0 on tell it by what they do not say.
            let reply = try run(command, on: database, as: .write)
            return try reply.field("nIndexesWas") { $0 } != nil
        } catch let error as MongoError where error.code == .namespaceNotFound {
            return false
        }
    }

    /// Removes a database with all that is in it.
    public func dropDatabase(_ database: String) throws {
        let command = BSONDocument { $0.append("dropDatabase", Int32(1)) }
        _ = try run(command, on: database, as: .write)
    }
}
