public import BSONBytes

/// One action on one resource, as servers grant them.
public struct Privilege: Hashable, Sendable {
    /// What an action is about.
    public enum Resource: Hashable, Sendable {
        /// The deployment as a whole.
        case cluster
        /// All collections of a database but its `system` ones.
        case database(String)
        /// One collection, `system` ones included.
        case collection(String, in: String)
        /// All collections of all databases but `system` ones, `local` and `config`.
        case anyCollection
    }

    /// The server's name for it, such as `find`.
    public let action: String
    public let resource: Resource

    public init(_ action: String, on resource: Resource) {
        self.action = action
        self.resource = resource
    }
}

/// What a user may do, decided by the rules of servers.
///
/// A grant on `{db: "", collection: ""}` or on `{db: d, collection: ""}` does not include `system`
/// collections; buckets of time series have grants of their own (`system_buckets`). `local` and
/// `config` are only included where they are named.
public struct UserPrivileges: Sendable {
    /// A resource as a grant names it. Empty names stand for all.
    public enum Grant: Hashable, Sendable {
        case cluster
        /// Everything there is.
        case anyResource
        case collections(database: String, collection: String)
        /// Buckets of time series, by the name of the time series.
        case buckets(database: String, timeSeries: String)
    }

    private static let bucketsPrefix = "system.buckets."
    /// What `__system` has.
    private static let anyAction = "anyAction"

    /// Who it is, `name@database`; nil where nobody is authenticated.
    public private(set) var user: String?
    /// Whether it is known what is allowed. Where it is not, everything counts as allowed.
    public private(set) var isKnown: Bool
    private var granted: [Grant: Set<String>] = [:]

    /// Those of a server that does not ask who may do what, or that does not say.
    public static let unlimited = UserPrivileges(isKnown: false)

    /// Those that have only these grants.
    public init(_ grants: [(Grant, [String])] = []) {
        self.init(isKnown: true)
        for (grant, actions) in grants { granted[grant, default: []].formUnion(actions) }
    }

    private init(isKnown: Bool) { self.isKnown = isKnown }

    /// Reads a reply to `connectionStatus` with `showPrivileges`.
    ///
    /// - Throws: `MongoError` with `protocolViolation`.
    init(_ reply: BSONDocument) throws(MongoError) {
        self.init(isKnown: true)
        let info = try reply.requiredField("authInfo", \.document)
        if let first = try info.documents(in: "authenticatedUsers").first {
            let name = try first.requiredField("user", \.string)
            user = "\(name)@\(try first.field("db", \.string) ?? "")"
        }
        for entry in try info.documents(in: "authenticatedUserPrivileges") {
            let resource = try entry.requiredField("resource", \.document)
            guard let grant = try Self.grant(resource) else { continue }
            granted[grant, default: []].formUnion(try entry.strings(in: "actions"))
        }
    }

    /// - Returns: nil for a kind of resource that this version does not know, which allows nothing.
    private static func grant(_ resource: BSONDocument) throws(MongoError) -> Grant? {
        if try resource.field("cluster", \.bool) == true { return .cluster }
        if try resource.field("anyResource", \.bool) == true { return .anyResource }
        let database = try resource.field("db", \.string)
        if let name = try resource.field("system_buckets", \.string) {
            return .buckets(database: database ?? "", timeSeries: name)
        }
        guard let collection = try resource.field("collection", \.string) else { return nil }
        return .collections(database: database ?? "", collection: collection)
    }

    /// Whether the user may do that.
    public func allows(_ privilege: Privilege) -> Bool {
        guard isKnown else { return true }
        return grants(for: privilege.resource).contains { grant in
            guard let actions = granted[grant] else { return false }
            return actions.contains(privilege.action) || actions.contains(Self.anyAction)
        }
    }

    /// The grants that include a resource.
    private func grants(for resource: Privilege.Resource) -> [Grant] {
        switch resource {
        case .cluster: return [.anyResource, .cluster]
        case .anyCollection: return [.anyResource, .collections(database: "", collection: "")]
        case .database(let database):
            return [.anyResource, .collections(database: database, collection: "")]
                + (Self.isOrdinary(database) ? [.collections(database: "", collection: "")] : [])
        case .collection(let name, in: let database):
            let own: [Grant] = [
                .anyResource, .collections(database: database, collection: name),
                .collections(database: "", collection: name),
            ]
            if name.hasPrefix(Self.bucketsPrefix) {
                let series = String(name.dropFirst(Self.bucketsPrefix.count))
                return own + [
                    .buckets(database: "", timeSeries: ""),
                    .buckets(database: database, timeSeries: ""),
                    .buckets(database: "", timeSeries: series),
                    .buckets(database: database, timeSeries: series),
                ]
            }
            let isSystem =
                name.hasPrefix("system.") || database == "local" && name.hasPrefix("replset.")
            return isSystem ? own : own + grants(for: .database(database))
        }
    }

    private static func isOrdinary(_ database: String) -> Bool {
        database != "local" && database != "config"
    }
}

extension MongoConnection {
    /// What the user of this connection may do on the primary.
    ///
    /// - Returns: `unlimited` for a server that does not enforce privileges, and for one that does
    ///   not list them.
    /// - Throws: `MongoError` when the server does not answer.
    public func userPrivileges() throws -> UserPrivileges {
        let command = BSONDocument {
            $0.append("connectionStatus", Int32(1))
            $0.append("showPrivileges", true)
        }
        let privileges: UserPrivileges
        do {
            privileges = try UserPrivileges(run(command, on: "admin"))
        } catch let error as MongoError where !error.isNetworkError {
            return .unlimited
        }
        return try enforces(privileges) ? privileges : .unlimited
    }

    /// Whether a server refuses what a user may not do. One that was started without authorization
    /// lists privileges too, of whoever is authenticated, and allows everything. It also answers a
    /// command that the list does not allow, and says in its options how it was started.
    private func enforces(_ privileges: UserPrivileges) throws -> Bool {
        let name = "getCmdLineOpts"
        do {
            let reply = try run(BSONDocument { $0.append(name, Int32(1)) }, on: "admin")
            guard privileges.allows(Privilege(name, on: .cluster)) else { return false }
            let security = try reply.field("parsed", \.document)?.field("security", \.document)
            guard let security else { return false }
            if try security.field("transitionToAuth", \.bool) == true { return false }
            let isOn = try security.field("authorization", \.string) == "enabled"
            let hasKey = try security.field("keyFile", \.string) != nil
            let mode = try security.field("clusterAuthMode", \.string)
            return isOn || hasKey || mode != nil
        } catch let error as MongoError where !error.isNetworkError {
            return true
        }
    }
}
