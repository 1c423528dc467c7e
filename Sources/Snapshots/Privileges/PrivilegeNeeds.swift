internal import ArchiveFormat
internal import MongoDriver

/// The privileges that a planned run will need, found out before it writes anything. Each command
/// that a run sends has its line here, by the rules that servers check it with.
struct PrivilegeNeeds: Sendable {
    /// A privilege that is needed.
    struct Clause: Hashable, Sendable {
        let privilege: Privilege
        /// It is only needed by users who have this one. A server lets nobody read by one name,
        /// of a view or after a rename, what they may not read by another.
        var onlyWith: Privilege?
    }

    /// Ways to do one thing, of which one is enough. The first is the usual one.
    private(set) var alternatives: Set<[[Clause]]> = []

    /// Needs actions on a collection.
    mutating func require(_ actions: String..., on namespace: Namespace) {
        require(actions, on: Self.resource(namespace))
    }

    /// Needs actions on the collections of a database, or on the deployment.
    mutating func require(_ actions: [String], on resource: Privilege.Resource) {
        for action in actions {
            alternatives.insert([[Clause(privilege: Privilege(action, on: resource))]])
        }
    }

    /// Adds what another part of the run needs.
    mutating func formUnion(_ other: PrivilegeNeeds) {
        alternatives.formUnion(other.alternatives)
    }

    // MARK: Commands

    /// Lists the collections of a database.
    mutating func listCollections(of database: String) {
        require(["listCollections"], on: .database(database))
    }

    /// Makes a collection or a view.
    mutating func create(_ namespace: Namespace, isCapped: Bool = false) {
        let resource = Self.resource(namespace)
        alternatives.insert([
            [Clause(privilege: Privilege("createCollection", on: resource))],
            [Clause(privilege: Privilege("insert", on: resource))],
        ])
        if isCapped { require("convertToCapped", on: namespace) }
    }

    /// Gives a collection another name in its database.
    ///
    /// - Parameter dropTarget: whether it may take the place of another, whether or not there is
    ///   one.
    mutating func rename(_ source: Namespace, to target: Namespace, dropTarget: Bool) {
        let (from, to) = (Self.resource(source), Self.resource(target))
        let database = Privilege("renameCollectionSameDB", on: .database(source.database))
        let dropping = dropTarget ? [Clause(privilege: Privilege("dropCollection", on: to))] : []
        let reading = Clause(
            privilege: Privilege("find", on: from), onlyWith: Privilege("find", on: to))
        let copying = [
            Privilege("find", on: from), Privilege("dropCollection", on: from),
            Privilege("insert", on: to), Privilege("createIndex", on: to),
        ]
        alternatives.insert([
            [Clause(privilege: database), reading] + dropping,
            copying.map { Clause(privilege: $0) } + dropping,
        ])
    }

    /// Makes or changes a view on other collections.
    mutating func look(at sources: [Namespace], through view: Namespace) {
        for source in sources {
            let clause = Clause(
                privilege: Privilege("find", on: Self.resource(source)),
                onlyWith: Privilege("find", on: Self.resource(view)))
            alternatives.insert([[clause]])
        }
    }

    static func resource(_ namespace: Namespace) -> Privilege.Resource {
        .collection(namespace.collection, in: namespace.database)
    }

    // MARK: What is missing

    /// Those that the user does not have; of several ways the one that lacks least.
    func missing(for user: UserPrivileges) -> [Privilege] {
        var missing: Set<Privilege> = []
        for ways in alternatives {
            let lacking = ways.map { way in
                way.filter { clause in
                    !user.allows(clause.privilege) && (clause.onlyWith.map(user.allows) ?? true)
                }.map(\.privilege)
            }
            let least = lacking.min { $0.count < $1.count } ?? []
            missing.formUnion(least)
        }
        return missing.sorted { $0.sortKey < $1.sortKey }
    }

    /// Refuses a run that could not be completed.
    ///
    /// - Parameter purpose: what needs them, such as "the restore".
    /// - Throws: `MongoError` with `unauthorized` that names all of them, and roles with them.
    func check(_ user: UserPrivileges, for purpose: String) throws(MongoError) {
        let missing = missing(for: user)
        guard !missing.isEmpty else { return }
        throw MongoError(
            .unauthorized, MissingPrivileges(missing).sentence(for: purpose, user: user.user))
    }
}

extension Privilege {
    fileprivate var sortKey: (String, String) { ("\(resource)", action) }
}
