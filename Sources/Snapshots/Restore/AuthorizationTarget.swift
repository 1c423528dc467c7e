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
        var outcome = try await inserter.load(documents, of: source.namespace)
        guard mode == .merge else { return outcome }
        // The server's command leaves existing ones alone, whatever they are like.
        let live = try await liveIdentifiers()
        for document in try DocumentRun.split(documents) {
            let id = try BSONDocument(validating: Array(document)).require("_id") { $0 }
            guard live.contains(id) else { continue }
            outcome.insertedCount -= 1
            outcome.equalCount += 1
        }
        return outcome
    }

    func compare(_ totals: DocumentTotals) async throws -> LoadOutcome? {
        // The command below takes a missing collection for an empty one and would delete every
        // user.
        try await StoredDocuments(namespace: staging, pool: context.pool)
            .check(against: totals, of: source.namespace)
        return nil
    }

    func commit() async throws {
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
        try await abandon()
    }

    private func liveIdentifiers() async throws -> Set<BSONValue> {
        var identifiers: Set<BSONValue> = []
        try await StoredDocuments(namespace: namespace, pool: context.pool).forEachBatch {
            for document in $0 {
                identifiers.insert(
                    try BSONDocument(validating: Array(document)).require("_id") { $0 })
            }
        }
        return identifiers
    }

    func abandon() async throws {
        try await context.pool.withConnection { connection in
            try await connection.dropCollection(staging.collection, in: staging.database)
        }
    }
}
