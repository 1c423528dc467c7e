internal import ArchiveFormat
internal import MongoDriver
internal import ObjectStorage

extension SourceCatalog {
    /// The collections of one database that a backup takes, as they were when they were listed.
    struct Listing: Equatable, Sendable {
        let database: String
        let taken: Set<CollectionInfo>
        /// Identities of all collections by name, those of buckets too.
        let uuids: [Namespace: [UInt8]]

        /// Two are the same when they take the same collections, whatever else changes.
        static func == (left: Listing, right: Listing) -> Bool {
            left.database == right.database && left.taken == right.taken
        }

        /// Lists every database that the filter lets through.
        ///
        /// - Parameter other: databases that have nothing in it are not listed.
        static func all(
            _ pool: MongoPool, _ filter: NamespaceFilter,
            within other: NamespaceFilter = NamespaceFilter()
        ) async throws -> [Listing] {
            let databases = try await pool.withConnection { connection in
                if let database = filter.database ?? other.database { return [database] }
                // Who asks for everything must not get less without a word.
                return try await connection.databaseNames(
                    mustBeComplete: filter.included.isEmpty && other.included.isEmpty)
            }
            var listings: [Listing] = []
            let matcher = NamespaceMatcher(filter)
            for database in databases
            where ServerNamespaces.isBackedUp(database, filter)
                && [filter, other].allSatisfy({
                    $0.mayOverlap(NamespaceFilter(database: database))
                })
            {
                let collections = try await LiveCatalog.collections(pool, database)
                try checkNothingIsDisplaced(
                    Set(collections.keys.map(\.collection)), database)
                let taken = try collections.values.filter { info in
                    try Task.checkCancellation()
                    return ServerNamespaces.isBackedUp(info.name, of: database, filter)
                        && matcher.contains(Namespace(database, info.name))
                }
                listings.append(
                    Listing(
                        database: database, taken: Set(taken),
                        uuids: collections.compactMapValues(\.uuid)))
            }
            return listings
        }

        /// A collection that a restore has moved aside when it was killed would be missing.
        private static func checkNothingIsDisplaced(
            _ names: Set<String>, _ database: String
        ) throws {
            for case let swap? in names.map({ SwapName($0) })
            where swap.kept.was == .live && !names.contains(swap.kept.collection)
                && swap.state != .alive
            {
                throw SnapshotError(
                    .unfinished,
                    "a restore was killed while it replaced \(database).\(swap.kept.collection), "
                        + "which is now named \(swap); run \"cairn kept --clean\" to put it back, "
                        + "and then the backup")
            }
        }
    }
}
