import ArchiveEngine
import ArchiveFormat
import BSONBytes
import MongoDriver
import PrivateServer
import Testing

@testable import Snapshots

/// A way to restore.
enum PrivilegedMode: String, CaseIterable, Sendable {
    case replace, keepOld, inPlace, overwrite, keep

    func adjust(_ options: inout Restore.Options) {
        options.mode = self == .overwrite || self == .keep ? .merge : .replace
        options.conflictRule = self == .keep ? .keep : .overwrite
        options.isInPlace = self == .inPlace
        if self == .keepOld {
            options.keepOld = Restore.KeepOld(
                job: JobID(parsing: "20261124T084512Z-restore-3f9a1c"), seconds: 600)
        }
    }
}

extension JobID {
    fileprivate init(parsing text: String) {
        guard let job = JobID(text) else { preconditionFailure("a job's name") }
        self = job
    }
}

/// That what a restore says it needs is what servers ask for: with all of it a run succeeds, and
/// without any single part it is refused before anything is written.
@Suite(.needsServer, .serialized) struct PrivilegeModelTests {
    @Test(arguments: PrivilegedKind.allCases)
    func exactlyWhatIsStatedIsEnoughAndNothingLess(_ kind: PrivilegedKind) async throws {
        try await Self.check(kind, try await LimitedServer.alone())
    }

    @Test(arguments: [PrivilegedKind.plain, .expiring, .timeSeries, .newView])
    func theSameHoldsForAReplicaSet(_ kind: PrivilegedKind) async throws {
        try await Self.check(kind, try await LimitedServer.replicaSet())
    }

    /// Two views that are made of each other the other way round are dropped before they are made.
    @Test func viewsThatChangePlacesTakeTheRightToDropThem() async throws {
        let server = try await LimitedServer.alone()
        let owner = try await SnapshotFixture(server.owner, database: "crossed")
        try await owner.insert([document(1)], "base")
        try await owner.create("v", CollectionOptions.view(on: "base", match: 1))
        try await owner.create("w", CollectionOptions.view(on: "v", match: 1))
        try await owner.backup()
        for name in ["v", "w"] { try await owner.dropCollection(name) }
        try await owner.create("w", CollectionOptions.view(on: "base", match: 1))
        try await owner.create("v", CollectionOptions.view(on: "w", match: 1))
        let archive = ArchiveLocation.snapshot("latest", in: owner.catalog)
        let included = ["crossed.v", "crossed.w"]
        let stated = RoleGrants(
            try await Self.needs(owner, archive, included) { _ in }, owner.database)
        let limited = try await server.limited(owner.database)
        let dropping = stated.pairs.filter { $0.action == "dropCollection" }
        #expect(dropping.count == 2)
        let before = try await owner.state()
        for left in dropping {
            try await server.grant(stated.without(left))
            await #expect(throws: MongoError.self, "without \(left)") {
                try await limited.restore(archive, included: included)
            }
            #expect(try await owner.state() == before)
        }
        try await server.grant(stated)
        let report = try await limited.restore(archive, included: included)
        #expect(report.outcome.views.changedCount == 2)
    }

    private static func check(_ kind: PrivilegedKind, _ server: LimitedServer) async throws {
        let owner = try await SnapshotFixture(server.owner, database: "m_\(kind.rawValue)")
        try await kind.make(owner)
        try await owner.backup()
        let limited = try await server.limited(owner.database)
        let archive = ArchiveLocation.snapshot("latest", in: owner.catalog)
        let included = ["\(owner.database).\(kind.name)"]
        for mode in PrivilegedMode.allCases {
            try await kind.change(owner)
            let before = try await owner.state()
            let needs = try await needs(owner, archive, included, adjust: mode.adjust)
            let stated = RoleGrants(needs, owner.database)
            for left in stated.pairs {
                let rest = stated.without(left)
                guard !needs.missing(for: rest.privileges).isEmpty else { continue }
                // Who may not pass its validator by has it loaded beside and swapped.
                if kind == .validated, mode == .inPlace { continue }
                // Without that it is loaded beside and swapped.
                if kind == .expiring, mode == .inPlace, left.action == "collMod" { continue }
                try await server.grant(rest)
                let foretold = try await foretold(mode, limited, archive, included)
                let error = try await #require(
                    throws: MongoError.self, "\(kind) \(mode) without \(left)"
                ) {
                    try await limited.restore(archive, included: included, adjust: mode.adjust)
                }
                #expect(error.code == .unauthorized, "\(kind) \(mode) without \(left)")
                #expect(error.message.contains(left.action), "\(error)")
                if let foretold {
                    #expect(foretold == [error.message], "\(kind) \(mode) without \(left)")
                }
                #expect(try await owner.state() == before, "\(kind) \(mode) without \(left)")
            }
            try await server.grant(stated)
            try await limited.restore(archive, included: included, adjust: mode.adjust)
            try await owner.dropOwnCollections()
        }
    }

    /// What a preview says of that way to restore; nil for a user who may not even have one.
    private static func foretold(
        _ mode: PrivilegedMode, _ limited: SnapshotFixture, _ archive: ArchiveLocation,
        _ included: [String]
    ) async throws -> [String]? {
        var options = Restore.Options(mode: .replace, width: 2)
        options.filter.included = try included.map { try NamespacePattern($0) }
        mode.adjust(&options)
        do {
            return try await LiveComparison(
                archive, with: limited.pool, for: .preview, restore: options,
                options: Comparison.Options(width: 2), observer: RecordingObserver()
            ).run().refusals.filter { $0.ways.contains(RestoreWay(options)) }.map(\.refusal.message)
        } catch let error as MongoError where error.code == .unauthorized {
            return nil
        }
    }

    /// What a user who may do everything would need: the same as any other.
    static func needs(
        _ owner: SnapshotFixture, _ archive: ArchiveLocation, _ included: [String],
        adjust: (inout Restore.Options) -> Void
    ) async throws -> PrivilegeNeeds {
        var options = Restore.Options(mode: .replace, width: 2)
        options.filter.included = try included.map { try NamespacePattern($0) }
        adjust(&options)
        let observer = RecordingObserver()
        let (server, incarnation) = try await owner.pool.withConnection { connection in
            (try await connection.serverInfo(), try await connection.incarnation())
        }
        let opened = try await archive.open()
        var context = RestoreContext(
            pool: owner.pool, server: server, observer: observer, batchDocumentCount: 1000,
            pacer: WritePacer(limiter: nil, observer: observer),
            endurance: Endurance(seconds: 0, observer: observer),
            continuity: Continuity(incarnation), rules: options.rules(for: server),
            privileges: .unlimited,
            keeping: options.keepOld.map { Keeping(job: $0.job, expiry: 2_000_000_000) })
        context.seal = opened.indexed?.seal
        return try await RestorePlan(opened, options, context).needs
    }
}

/// Grants of a role that has what is needed and nothing else.
struct RoleGrants: Sendable {
    struct Pair: Hashable, Sendable, CustomStringConvertible {
        let action: String
        let grant: UserPrivileges.Grant
        var description: String { "\(action) on \(grant)" }
    }

    let pairs: [Pair]

    /// A restore's own collections have names that nobody knows beforehand, so what is done to them
    /// is granted for their database.
    init(_ needs: PrivilegeNeeds, _ database: String) {
        var pairs: Set<Pair> = []
        for ways in needs.alternatives {
            for clause in ways[0] {
                let grant: UserPrivileges.Grant =
                    switch clause.privilege.resource {
                    case .cluster: .cluster
                    case .anyCollection: .collections(database: "", collection: "")
                    case .database(let name): .collections(database: name, collection: "")
                    case .collection(let name, in: let database):
                        .collections(
                            database: database,
                            collection: ReservedName.contains(name) ? "" : name)
                    }
                pairs.insert(Pair(action: clause.privilege.action, grant: grant))
            }
        }
        self.pairs = pairs.sorted { $0.description < $1.description }
    }

    init(_ pairs: [Pair]) { self.pairs = pairs }

    func without(_ pair: Pair) -> RoleGrants { RoleGrants(pairs.filter { $0 != pair }) }

    var privileges: UserPrivileges { UserPrivileges(pairs.map { ($0.grant, [$0.action]) }) }

    /// As `createRole` and `updateRole` take them.
    var documents: [BSONDocument] {
        Dictionary(grouping: pairs, by: \.grant).map { grant, pairs in
            BSONDocument {
                let resource = BSONDocument {
                    switch grant {
                    case .cluster: $0.append("cluster", true)
                    case .anyResource: $0.append("anyResource", true)
                    case .collections(let database, let collection):
                        $0.append("db", database)
                        $0.append("collection", collection)
                    case .buckets(let database, let series):
                        $0.append("db", database)
                        $0.append("system_buckets", series)
                    }
                }
                $0.append("resource", resource)
                $0.append("actions", array: pairs.map(\.action))
            }
        }
    }
}

/// A server that asks who may do what, with an owner and a user whose role a test decides.
struct LimitedServer: Sendable {
    let server: PrivateServer
    let owner: MongoURI
    private let folder: TemporaryFolder?

    private static let role = "limited"

    static func alone() async throws -> LimitedServer {
        var options = PrivateServer.Options()
        options.isReplicaSet = false
        options.arguments = ["--auth"]
        return try await LimitedServer(options, nil)
    }

    /// One for tests that make users of their own.
    static func shared() async throws -> LimitedServer { try await sharedStart.value }

    private static let sharedStart = Task { try await alone() }

    static func replicaSet() async throws -> LimitedServer {
        let folder = try TemporaryFolder()
        var options = PrivateServer.Options()
        options.arguments = ["--auth", "--keyFile", try folder.keyFile()]
        return try await LimitedServer(options, folder)
    }

    private init(_ options: PrivateServer.Options, _ folder: TemporaryFolder?) async throws {
        server = try await PrivateServer(options)
        self.folder = folder
        try await LimitedUserTests.createUser("owner", "root", on: "admin", server.uri)
        owner = try LimitedUserTests.uri("owner", server.port)
        try await command("createRole", [])
        try await LimitedUserTests.createUser("limited", Self.role, on: "admin", owner)
    }

    func limited(_ database: String) async throws -> SnapshotFixture {
        try await SnapshotFixture(
            LimitedUserTests.uri("limited", server.port), database: database)
    }

    /// Gives the user these privileges and no others.
    func grant(_ grants: RoleGrants) async throws {
        try await command("updateRole", grants.documents)
    }

    private func command(_ name: String, _ privileges: [BSONDocument]) async throws {
        try await SnapshotFixture(owner, database: "admin").command(
            BSONDocument {
                $0.append(name, Self.role)
                $0.append("privileges", array: privileges)
                $0.append("roles", array: [String]())
            })
    }
}

extension SnapshotFixture {
    /// Removes what restores keep.
    func dropOwnCollections() async throws {
        for name in try await names() where name.hasPrefix("cairn.") {
            try await pool.withConnection { try await $0.dropCollection(name, in: database) }
        }
    }
}
