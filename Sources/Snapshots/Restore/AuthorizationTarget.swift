internal import ArchiveFormat
internal import BSONBytes
internal import MongoDriver

/// Users or roles. They are loaded into a collection beside the live ones, compared, and merged by
/// the server's own command. Replacing makes users (or roles) those of the archive; merging adds
/// the missing ones and leaves existing ones alone.
struct AuthorizationTarget: RestoreTarget {
    /// Of the first of them: after all data, for then the user may not be allowed to do more.
    static let commitRankMin = 2

    let source: NamespaceDescriptor
    let namespace: Namespace
    var commitRank: Int { Self.commitRankMin + (kind == .roles ? 0 : 1) }
    var staging: Namespace { kind.staging }
    private let mode: Restore.Mode
    private let kind: AuthorizationMerge.Kind
    private let merge: AuthorizationMerge
    private let inserter: ExactInserter
    private let context: RestoreContext

    init(
        _ choice: RestorePlan.Choice, _ mode: Restore.Mode, _ merge: AuthorizationMerge,
        _ context: RestoreContext
    ) {
        source = choice.descriptor
        namespace = choice.target
        self.mode = mode
        let users = AuthorizationMerge.Kind.users
        kind = choice.descriptor.namespace == users.namespace ? users : .roles
        self.merge = merge
        merge.add(kind)
        inserter = ExactInserter(
            context: context, namespace: kind.staging, isOrdered: false, bypassesValidation: false)
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

    func commit() async throws -> LoadOutcome? { try await merge.outcome(of: kind) }

    func abandon() async throws {
        try await context.pool.withConnection { connection in
            try await connection.dropCollection(staging.collection, in: staging.database)
        }
    }
}
