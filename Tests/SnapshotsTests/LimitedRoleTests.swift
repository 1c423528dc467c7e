import ArchiveFormat
import BSONBytes
import MongoDriver
import PrivateServer
import Testing

@testable import Snapshots

/// What users with the roles that servers come with can do, and what they are told of the rest.
@Suite(.needsServer, .serialized) struct LimitedRoleTests {
    /// A database of plain, indexed and validated collections, and a user with roles on it.
    private static func fixtures(
        _ name: String, _ roles: [(String, String)]
    ) async throws -> (owner: SnapshotFixture, limited: SnapshotFixture) {
        let server = try await LimitedServer.shared()
        let owner = try await SnapshotFixture(server.owner, database: name)
        try await owner.create(
            "validated",
            BSONDocument {
                let positive = BSONDocument { $0.append("$gt", Int32(0)) }
                $0.append("validator", BSONDocument { $0.append("n", positive) })
            })
        try await owner.insert([document(1) { $0.append("n", Int32(1)) }], "validated")
        try await PrivilegedKind.expiring.make(owner)
        try await LimitedUserTests.createUser(name, roles[0].0, on: roles[0].1, server.owner)
        for role in roles.dropFirst() { try await grant(role, to: name, server.owner) }
        let uri = try LimitedUserTests.uri(name, server.server.port)
        return (owner, try await SnapshotFixture(uri, database: name))
    }

    private static func grant(
        _ role: (String, String), to user: String, _ owner: MongoURI
    ) async throws {
        try await SnapshotFixture(owner, database: "admin").command(
            BSONDocument {
                $0.append("grantRolesToUser", user)
                let role = BSONDocument {
                    $0.append("role", role.0)
                    $0.append("db", role.1)
                }
                $0.append("roles", array: [role])
            })
    }

    /// Back to the snapshot by each way; without exactly what was there the test fails.
    private static func checkEveryWay(
        _ owner: SnapshotFixture, _ limited: SnapshotFixture, _ archive: ArchiveLocation
    ) async throws {
        let wanted = try await owner.state()
        for mode in PrivilegedMode.allCases where mode != .keep {
            try await owner.command(
                BSONDocument {
                    $0.append("update", "c")
                    let statement = BSONDocument {
                        $0.append("q", document(1))
                        $0.append("u", document(1) { $0.append("n", Int32(7)) })
                    }
                    $0.append("updates", array: [statement])
                })
            #expect(try await owner.state() != wanted)
            try await limited.restore(archive, adjust: mode.adjust)
            try await owner.dropOwnCollections()
            #expect(try await owner.state() == wanted, "\(mode)")
        }
    }

    @Test(arguments: [
        ("rw", ["readWrite"]), ("owning", ["dbOwner"]), ("admins", ["dbAdmin", "readWrite"]),
    ])
    func whoMayWriteADatabaseBacksItUpAndRestoresIt(
        _ name: String, _ roles: [String]
    ) async throws {
        let (owner, limited) = try await Self.fixtures(name, roles.map { ($0, name) })
        try await limited.backup()
        let archive = ArchiveLocation.snapshot("latest", in: limited.catalog)
        try await Self.checkEveryWay(owner, limited, archive)
    }

    @Test func readWriteAnyDatabaseRestoresTimeSeriesToo() async throws {
        let roles = [("readWriteAnyDatabase", "admin"), ("dbAdminAnyDatabase", "admin")]
        let (owner, limited) = try await Self.fixtures("anywhere", roles)
        try await owner.create(
            "w",
            BSONDocument {
                $0.append("timeseries", BSONDocument { $0.append("timeField", "at") })
            })
        let measurement = BSONDocument { $0.append("at", dateMilliseconds: 1_700_000_000_000) }
        try await owner.insert([measurement], "w")
        try await limited.backup()
        let archive = ArchiveLocation.snapshot("latest", in: limited.catalog)
        try await Self.checkEveryWay(owner, limited, archive)
    }

    /// Buckets of time series are not included in a role on one database.
    @Test func aTimeSeriesThatMayNotBeReadIsNamedWithTheRoleForIt() async throws {
        let (owner, limited) = try await Self.fixtures("series", [("readWrite", "series")])
        try await PrivilegedKind.newTimeSeries.makeSeries("w", owner)
        let error = try await #require(throws: MongoError.self) { try await limited.backup() }
        #expect(error.code == .unauthorized)
        #expect(error.message.contains("find on the buckets of the time series series.w"))
        #expect(error.message.contains("the role readAnyDatabase has them"), "\(error)")
        #expect(try limited.folder.contents == [])
        let others = NamespaceFilter(
            included: [try NamespacePattern("series.*")],
            excluded: [try NamespacePattern("series.w")])
        #expect(try await limited.backup(filter: others).manifest.documentCount > 0)
    }

    /// Of documents that a validator refuses; live data stays as it is.
    @Test func aValidatorThatMayNotBePassedByRefusesTheRestore() async throws {
        let (owner, limited) = try await Self.fixtures("strict", [("readWrite", "strict")])
        try await owner.command(
            BSONDocument {
                $0.append("insert", "validated")
                $0.append("documents", array: [document(2) { $0.append("n", Int32(-1)) }])
                $0.append("bypassDocumentValidation", true)
            })
        try await limited.backup()
        let before = try await owner.state()
        let archive = ArchiveLocation.snapshot("latest", in: limited.catalog)
        for isInPlace in [false, true] {
            let observer = RecordingObserver()
            let error = try await #require(throws: SnapshotError.self) {
                try await limited.restore(archive, observer: observer) { $0.isInPlace = isInPlace }
            }
            #expect(error.code == .refused)
            #expect(error.message.contains("strict.validated"), "\(error)")
            #expect(observer.notices.contains { $0.contains("bypassDocumentValidation") })
            #expect(try await owner.state() == before)
        }
        let server = try await LimitedServer.shared()
        try await Self.grant(("dbAdmin", "strict"), to: "strict", server.owner)
        try await limited.restore(archive)
        #expect(try await owner.documents("validated").count == 2)
    }

    /// The example of a user who has `backup` and `restore`: nothing is doubled, nothing swapped,
    /// and they are not told to get what they have.
    @Test func backupAndRestoreAreToldWhatALiveTimeSeriesTakes() async throws {
        let (owner, limited) = try await Self.fixtures(
            "doubled", [("backup", "admin"), ("restore", "admin")])
        try await PrivilegedKind.newTimeSeries.makeSeries("w", owner)
        try await limited.backup()
        try await owner.insert([document(90)], "c")
        let before = try await owner.state()
        let error = try await #require(throws: MongoError.self) {
            try await limited.restore(included: ["doubled.*"])
        }
        #expect(error.code == .unauthorized)
        #expect(
            error.message.contains("remove, update on the buckets of the time series doubled.w"))
        #expect(error.message.contains("the role readWriteAnyDatabase has them"), "\(error)")
        #expect(!error.description.contains("backup or restore role"))
        #expect(try await owner.state() == before)
        let server = try await LimitedServer.shared()
        try await Self.grant(("readWriteAnyDatabase", "admin"), to: "doubled", server.owner)
        try await limited.restore(included: ["doubled.*"])
        #expect(try await owner.documents("w").count == 3)
        #expect(try await owner.documents("c").count == 3)
    }

    @Test func whoMayOnlyReadIsRefusedWithAllThatIsMissing() async throws {
        let (owner, limited) = try await Self.fixtures("reader", [("readAnyDatabase", "admin")])
        try await limited.backup()
        let before = try await owner.state()
        let error = try await #require(throws: MongoError.self) {
            try await limited.restore(included: ["reader.*"])
        }
        for word in ["insert", "dropCollection", "createIndex", "reader.c", "reader.validated"] {
            #expect(error.message.contains(word), "\(error)")
        }
        #expect(error.message.contains("the role readWrite on the database reader has them"))
        #expect(!error.message.contains("cairn."))
        #expect(try await owner.state() == before)
    }

    /// A privilege that is taken away while the restore runs: it fails before live data is changed.
    @Test func aPrivilegeThatIsLostOnTheWayChangesNothing() async throws {
        let (owner, limited) = try await Self.fixtures(
            "revoked",
            [("backup", "admin"), ("restore", "admin"), ("readWriteAnyDatabase", "admin")])
        try await PrivilegedKind.newTimeSeries.makeSeries("w", owner)
        try await limited.backup()
        try await PrivilegedKind.newTimeSeries.makeSeries("w", owner, from: 50)
        let before = try await owner.state()
        let gate = Gate { $0.phase == .comparing }
        await #expect(throws: MongoError.self) {
            try await gate.run { observer in
                try await limited.restore(included: ["revoked.*"], observer: observer)
            } meanwhile: {
                try await owner.command(
                    BSONDocument {
                        $0.append("revokeRolesFromUser", "revoked")
                        $0.append("roles", array: ["readWriteAnyDatabase"])
                    }, on: "admin")
            }
        }
        #expect(try await owner.state() == before)
    }

    @Test func whatIsKeptIsNotRemovedByHalves() async throws {
        let (owner, limited) = try await Self.fixtures("keeping", [("readAnyDatabase", "admin")])
        let job = JobID(kind: "restore", owner.environment)
        let kept = KeptName(job: job, expiry: 1, was: .live, collection: "c").description
        try await owner.create(kept)
        let error = try await #require(throws: MongoError.self) {
            try await KeptCollections.clean(limited.pool, RecordingObserver())
        }
        #expect(error.message.contains("dropCollection on the database keeping"), "\(error)")
        #expect(try await owner.names().contains(kept))
        let undo = Undo(
            of: job, as: JobID(kind: "undo", owner.environment), on: limited.pool,
            observer: RecordingObserver())
        // It has expired, but this user could not remove it.
        let refusal = try await #require(throws: MongoError.self) { _ = try await undo.run() }
        #expect(refusal.code == .unauthorized)
        #expect(try await owner.names().contains(kept))
        try await KeptCollections.clean(owner.pool, RecordingObserver())
        #expect(try await !owner.names().contains(kept))
    }
}

extension PrivilegedKind {
    /// Puts three measurements into a time series, which is made if there is none.
    func makeSeries(
        _ name: String, _ fixture: SnapshotFixture, from start: Int64 = 0
    ) async throws {
        if try await !fixture.names().contains(name) {
            try await fixture.create(
                name,
                BSONDocument {
                    $0.append("timeseries", BSONDocument { $0.append("timeField", "at") })
                })
        }
        let measurements = (start..<start + 3).map { number in
            BSONDocument {
                $0.append("at", dateMilliseconds: 1_700_000_000_000 + number * 86_400_000)
            }
        }
        try await fixture.insert(measurements, name)
    }
}
