internal import ArchiveFormat
internal import BSONBytes
internal import MongoDriver
internal import Synchronization

/// Makes users and roles that were loaded beside the live ones the live ones, all by one command:
/// afterwards the user who restores may have lost every right, or be gone, when the archive has it
/// so. Then what is left to do is left out, and said.
final class AuthorizationMerge: Sendable {
    /// Users or roles.
    enum Kind: Hashable, Sendable, CaseIterable {
        case users, roles

        var namespace: Namespace {
            Namespace("admin", self == .users ? "system.users" : "system.roles")
        }

        var staging: Namespace {
            Namespace("admin", self == .users ? ReservedName.users : ReservedName.roles)
        }

        fileprivate var noun: String { self == .users ? "user" : "role" }
    }

    private typealias Contents = [BSONValue: DocumentFingerprint]

    private let mode: Restore.Mode
    private let context: RestoreContext
    private let kinds = Mutex<Set<Kind>>([])
    private let outcomes = Mutex<[Kind: LoadOutcome]?>(nil)

    init(_ mode: Restore.Mode, _ context: RestoreContext) {
        self.mode = mode
        self.context = context
    }

    /// Takes note that there will be something to merge of that kind.
    func add(_ kind: Kind) {
        kinds.withLock { _ = $0.insert(kind) }
    }

    /// What became of users or roles. The first call merges all; calls come one after the other.
    ///
    /// - Throws: `notEqual` when they are not as in the archive afterwards; `MongoError`.
    func outcome(of kind: Kind) async throws -> LoadOutcome {
        if let known = outcomes.withLock({ $0 }) { return known[kind] ?? LoadOutcome() }
        let found = try await merge(kinds.withLock { $0 })
        outcomes.withLock { $0 = found }
        return found[kind] ?? LoadOutcome()
    }

    private func merge(_ kinds: Set<Kind>) async throws -> [Kind: LoadOutcome] {
        var (wanted, live): ([Kind: Contents], [Kind: Contents]) = ([:], [:])
        for kind in kinds {
            wanted[kind] = try await documents(kind.staging)
            live[kind] = try await liveDocuments(kind)
        }
        let command = BSONDocument {
            let (users, roles) = (Kind.users, Kind.roles)
            $0.append("_mergeAuthzCollections", Int32(1))
            $0.append(
                "tempUsersCollection", kinds.contains(users) ? users.staging.description : "")
            $0.append(
                "tempRolesCollection", kinds.contains(roles) ? roles.staging.description : "")
            $0.append("drop", mode == .replace)
            $0.append("db", "")
            $0.append("writeConcern", BSONDocument { $0.append("w", "majority") })
        }
        _ = try await context.pool.withConnection { connection in
            try await connection.run(command, on: "admin", as: .primary)
        }
        if mode == .replace { context.changes.noteNewRights() }
        do {
            for kind in kinds where mode == .replace && live[kind] != nil {
                try await check(kind, wanted[kind] ?? [:])
            }
            for kind in kinds { try await drop(kind.staging) }
        } catch let error as MongoError where context.changes.explainsRefusal(error) {
            let left = kinds.map(\.staging.description).sorted().joined(separator: " and ")
            context.observer.noticed(
                "users and roles are as in the archive, and by that the user who restored may not "
                    + "compare them any more, nor remove what they were loaded into: \(left) can "
                    + "be dropped")
        }
        return Dictionary(
            uniqueKeysWithValues: kinds.map {
                ($0, outcome(of: wanted[$0] ?? [:], over: live[$0] ?? [:]))
            })
    }

    private func drop(_ staging: Namespace) async throws {
        try await context.pool.withConnection { connection in
            try await connection.dropCollection(staging.collection, in: staging.database)
        }
    }

    /// - Returns: nil for a user who may not read them.
    private func liveDocuments(_ kind: Kind) async throws -> Contents? {
        do {
            return try await documents(kind.namespace)
        } catch let error as MongoError where error.code == .unauthorized {
            context.observer.noticed(
                "the user may not read \(kind.namespace): all of the archive's are counted as "
                    + "inserted, and what is there afterwards was not compared")
            return nil
        }
    }

    /// Replaced means exactly the archive's.
    ///
    /// - Throws: `notEqual`.
    private func check(_ kind: Kind, _ wanted: Contents) async throws {
        let found = try await documents(kind.namespace)
        guard found != wanted else { return }
        let count = Set(wanted.keys).union(found.keys).filter { wanted[$0] != found[$0] }.count
        throw SnapshotError(
            .notEqual,
            "\(count) \(kind.noun)\(count == 1 ? " is" : "s are") not as in the archive after "
                + "all; was something changed while they were restored? Run the restore again")
    }

    /// What the server's command makes of live ones: merging leaves those alone that exist.
    private func outcome(of wanted: Contents, over live: Contents) -> LoadOutcome {
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
    private func documents(_ collection: Namespace) async throws -> Contents {
        var found: Contents = [:]
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
}
