internal import ArchiveFormat
internal import BSONBytes
internal import MongoDriver

/// Users or roles. They are loaded into a collection beside the live ones, compared, and merged by
/// the server's own command. Replacing makes users (or roles) those of the archive; merging adds
/// the missing ones and leaves existing ones alone.
struct AuthorizationTarget: RestoreTarget {
    /// In `admin`; the role `restore` may write to these two names only.
    static let stagingCollections = ["tempusers", "temproles"]

    let source: NamespaceDescriptor
    let namespace: Namespace
    /// After the data; roles before the users that have them.
    var commitRank: Int { isUsers ? 3 : 2 }
    private let mode: Restore.Mode
    private let isUsers: Bool
    let staging: Namespace
    private let inserter: ExactInserter
    private let context: RestoreContext

    init(_ choice: RestorePlan.Choice, _ mode: Restore.Mode, _ context: RestoreContext) {
        source = choice.descriptor
        namespace = choice.target
        self.mode = mode
        isUsers = choice.descriptor.namespace.collection == "system.users"
        staging = Namespace("admin", Self.stagingCollections[isUsers ? 0 : 1])
        inserter = ExactInserter(
            context: context, namespace: staging, isOrdered: false, bypassesValidation: false)
        self.context = context
    }

    var readable: Namespace { staging }

    var needs: PrivilegeNeeds {
        var needs = PrivilegeNeeds()
        needs.create(staging)
        needs.require("dropCollection", "find", "insert", on: staging)
        if mode == .merge { needs.require("find", on: namespace) }
        var actions = ["createRole", "createUser", "grantRole", "revokeRole"]
        if mode == .replace { actions += ["dropRole", "dropUser"] }
        needs.require(actions, on: .anyCollection)
        return needs
    }

    func prepare() async throws {
        try await abandon()
        try await context.pool.withConnection { connection in
            try await connection.createCollection(staging.collection, in: staging.database)
        }
    }

    func load(_ documents: ArraySlice<UInt8>) async throws -> LoadOutcome {
        _ = try await inserter.load(documents, of: source.namespace)
        // What becomes of live ones is known at the end.
        return LoadOutcome()
    }

    func compare(_ totals: DocumentTotals) async throws -> LoadOutcome? {
        // The command below takes a missing collection for an empty one and would delete every
        // user.
        try await StoredDocuments(namespace: staging, pool: context.pool)
            .check(against: totals, of: source.namespace)
        return nil
    }

    func commit() async throws -> LoadOutcome? {
        let wanted = try await documents(staging)
        let live = try await liveDocuments()
        let command = BSONDocument {
            $0.append("_mergeAuthzCollections", Int32(1))
            $0.append("tempUsersCollection", isUsers ? staging.description : "")
            $0.append("tempRolesCollection", isUsers ? "" : staging.description)
            $0.append("drop", mode == .replace)
            $0.append("db", "")
            $0.append("writeConcern", BSONDocument { $0.append("w", "majority") })
        }
        _ = try await context.pool.withConnection { connection in
            try await connection.run(command, on: "admin", as: .primary)
        }
        if mode == .replace, live != nil { try await check(wanted) }
        try await abandon()
        return outcome(of: wanted, over: live ?? [:])
    }

    /// - Returns: nil for a user who may not read them.
    private func liveDocuments() async throws -> [BSONValue: DocumentFingerprint]? {
        do {
            return try await documents(namespace)
        } catch let error as MongoError where error.code == .unauthorized {
            context.observer.noticed(
                "the user may not read \(namespace): all of the archive's are counted as inserted, "
                    + "and what is there afterwards was not compared")
            return nil
        }
    }

    /// Replaced means exactly the archive's.
    ///
    /// - Throws: `notEqual`.
    private func check(_ wanted: [BSONValue: DocumentFingerprint]) async throws {
        let found = try await documents(namespace)
        guard found != wanted else { return }
        let count = Set(wanted.keys).union(found.keys).filter { wanted[$0] != found[$0] }.count
        let thing = isUsers ? "user" : "role"
        throw SnapshotError(
            .notEqual,
            "\(count) \(thing)\(count == 1 ? " is" : "s are") not as in the archive after all; "
                + "was something changed while they were restored? Run the restore again")
    }

    /// What the server's command makes of live ones: merging leaves those alone that exist.
    private func outcome(
        of wanted: [BSONValue: DocumentFingerprint], over live: [BSONValue: DocumentFingerprint]
    ) -> LoadOutcome {
        var outcome = LoadOutcome()
        for (id, content) in wanted {
            switch live[id] {
            case nil: outcome.insertedCount += 1
            case content: outcome.equalCount += 1
            case _? where mode == .merge: outcome.keptCount += 1
            case _?: outcome.overwrittenCount += 1
            }
        }
        if mode == .replace {
            outcome.deletedCount = UInt64(live.keys.filter { wanted[$0] == nil }.count)
        }
        return outcome
    }

    /// Users or roles of a collection, by their `_id`s.
    private func documents(
        _ collection: Namespace
    ) async throws -> [BSONValue: DocumentFingerprint] {
        var found: [BSONValue: DocumentFingerprint] = [:]
        try await StoredDocuments(namespace: collection, pool: context.pool).forEachBatch {
            for document in $0 {
                var content = DocumentFingerprint()
                document.withUnsafeBytes { content.add($0) }
                let id = try BSONDocument(validating: Array(document)).require("_id") { $0 }
                found[id] = content
            }
        }
        return found
    }

    func abandon() async throws {
        try await context.pool.withConnection { connection in
            try await connection.dropCollection(staging.collection, in: staging.database)
        }
    }
}
