internal import ArchiveFormat
internal import MongoDriver

/// Privileges that a user lacks, as a sentence.
struct MissingPrivileges {
    /// Resources that are named one by one; of more, the number.
    private static let resourceCountMax = 20

    private let privileges: [Privilege]

    /// - Parameter privileges: at least one.
    init(_ privileges: [Privilege]) { self.privileges = privileges }

    /// What is missing, and where to get it. Nothing was written.
    func sentence(for purpose: String, user: String?) -> String {
        let who = user.map { "the user \($0)" } ?? "a client that has not logged in"
        return "\(who) lacks privileges that \(purpose) needs, and nothing was written: "
            + "\(list); \(BuiltinRole.advice(for: privileges))"
    }

    /// Each resource with its actions.
    var list: String {
        var actions: [String: Set<String>] = [:]
        for privilege in privileges {
            actions[privilege.resource.text, default: []].insert(privilege.action)
        }
        // Resources with the same actions together.
        let groups = Dictionary(grouping: actions.keys) { actions[$0, default: []] }
        return groups.map { actions, resources in
            let sorted = resources.sorted()
            let rest = sorted.count - Self.resourceCountMax
            let names = sorted.prefix(Self.resourceCountMax).joined(separator: ", ")
            return actions.sorted().joined(separator: ", ") + " on " + names
                + (rest > 0 ? " and \(rest) more" : "")
        }.sorted().joined(separator: "; ")
    }
}

extension Privilege.Resource {
    /// As users know it: a collection of a restore's own is part of its database.
    fileprivate var text: String {
        switch self {
        case .cluster: return "the cluster"
        case .anyCollection: return "all collections of all databases"
        case .database(let database): return "the database \(database)"
        case .collection(let name, in: let database):
            if ReservedName.contains(name) { return "the database \(database)" }
            let prefix = "system.buckets."
            guard name.hasPrefix(prefix) else { return "\(database).\(name)" }
            let series = name.dropFirst(prefix.count)
            return "the buckets of the time series \(database).\(series) "
                + "(resource {db: \"\(database)\", collection: \"\(name)\"})"
        }
    }

    fileprivate var database: String? {
        switch self {
        case .cluster, .anyCollection: nil
        case .database(let database), .collection(_, in: let database): database
        }
    }
}

/// Roles that servers come with, as far as a backup or a restore is concerned.
struct BuiltinRole {
    private static let reading = [
        "collStats", "dbStats", "find", "listCollections", "listIndexes",
    ]
    private static let writing = [
        "convertToCapped", "createCollection", "createIndex", "dropCollection", "dropIndex",
        "insert", "remove", "renameCollectionSameDB", "update",
    ]
    private static let managing = [
        "bypassDocumentValidation", "collMod", "collStats", "convertToCapped",
        "createCollection", "createIndex", "dbStats", "dropCollection", "dropIndex",
        "listCollections", "listIndexes", "renameCollectionSameDB",
    ]
    private static let restoring = [
        "bypassDocumentValidation", "collMod", "convertToCapped", "createCollection",
        "createIndex", "dropCollection", "insert",
    ]
    private static let accounting = [
        "createRole", "createUser", "dropRole", "dropUser", "grantRole", "revokeRole",
    ]

    let name: String
    /// Nil for one that is about all databases.
    let database: String?
    let privileges: UserPrivileges

    /// Those that are known, the ones with less first.
    static func all(_ database: String) -> [BuiltinRole] { ofOne(database) + ofAll }

    /// Roles that have all of it, and no more than necessary.
    static func advice(for missing: [Privilege]) -> String {
        let databases = Set(missing.compactMap(\.resource.database))
        let isOfOne = databases.count == 1 && missing.allSatisfy { $0.resource.database != nil }
        let candidates = (isOfOne ? databases.flatMap(ofOne) : []) + ofAll
        if let role = candidates.first(where: { $0.has(missing) }) {
            return "the role \(role.text) has them"
        }
        for (index, first) in candidates.enumerated() {
            let rest = missing.filter { !first.privileges.allows($0) }
            guard rest.count < missing.count else { continue }
            if let second = candidates[(index + 1)...].first(where: { $0.has(rest) }) {
                return "the roles \(first.text) and \(second.text) together have them"
            }
        }
        return "grant them by a role of your own, or use a user with the role root"
    }

    private func has(_ missing: [Privilege]) -> Bool { missing.allSatisfy(privileges.allows) }

    private var text: String { name + (database.map { " on the database \($0)" } ?? "") }

    private static func ofOne(_ database: String) -> [BuiltinRole] {
        // In admin those are roles of their own too, but with more than that database's.
        func role(_ name: String, _ grants: [(String, [String])]) -> BuiltinRole {
            BuiltinRole(
                name: name, database: database,
                privileges: UserPrivileges(
                    grants.map { (.collections(database: database, collection: $0.0), $0.1) }))
        }
        let write = reading + writing
        return [
            role("read", [("", reading), ("system.js", reading)]),
            role("readWrite", [("", write), ("system.js", write)]),
            role("dbAdmin", [("", managing)]),
            role("dbOwner", [("", write + managing), ("system.js", write)]),
        ]
    }

    private static let ofAll: [BuiltinRole] = {
        func role(
            _ name: String, _ cluster: [String], _ grants: [(UserPrivileges.Grant, [String])]
        ) -> BuiltinRole {
            BuiltinRole(
                name: name, database: nil,
                privileges: UserPrivileges(grants + [(.cluster, cluster)]))
        }
        let all = UserPrivileges.Grant.collections(database: "", collection: "")
        let buckets = UserPrivileges.Grant.buckets(database: "", timeSeries: "")
        let scripts = UserPrivileges.Grant.collections(database: "", collection: "system.js")
        func named(_ database: String, _ collection: String) -> UserPrivileges.Grant {
            .collections(database: database, collection: collection)
        }
        let write = reading + writing
        return [
            role("clusterMonitor", ["getParameter", "listDatabases", "serverStatus"], []),
            role(
                "readAnyDatabase", ["listDatabases"],
                [(all, reading), (buckets, reading), (scripts, reading)]),
            role(
                "backup", ["getParameter", "listDatabases", "serverStatus"],
                [
                    (all, ["find"]), (buckets, ["find"]), (scripts, ["find"]),
                    (.anyResource, ["collStats", "listCollections", "listIndexes"]),
                    (named("", "system.users"), ["find"]), (named("local", ""), ["find"]),
                    (named("config", ""), ["find"]), (named("admin", "system.roles"), ["find"]),
                    (named("admin", "system.version"), ["find"]),
                ]),
            role(
                "dbAdminAnyDatabase", ["listDatabases"], [(all, managing), (buckets, managing)]),
            role(
                "restore", ["applyOps", "getParameter"],
                [
                    (all, restoring + accounting), (buckets, restoring), (scripts, restoring),
                    (named("local", ""), restoring), (named("config", ""), restoring),
                    (.anyResource, ["listCollections"]),
                    (named("admin", "tempusers"), ["find"]),
                    (named("admin", "temproles"), ["find"]),
                    (named("", "system.users"), ["find", "insert", "remove", "update"]),
                ]),
            role(
                "readWriteAnyDatabase", ["listDatabases"],
                [(all, write), (buckets, write), (scripts, write)]),
        ]
    }()
}
