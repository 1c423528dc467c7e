import ArchiveFormat
import BSONBytes
import Foundation
import MongoDriver
import PrivateServer
import Testing

@testable import Snapshots

extension TemporaryFolder {
    /// A key by which members of a replica set know each other.
    func keyFile() throws -> String {
        let file = path + "/key"
        try Data("abcdefghijklmnop".utf8).write(to: URL(filePath: file))
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file)
        return file
    }
}

/// The rules of grants, against a server's own.
@Suite(.needsServer, .serialized) struct UserPrivilegesTests {
    private static let namespaces = [
        Namespace("d", "c"), Namespace("d", "other"), Namespace("d", "system.js"),
        Namespace("d", "system.buckets.ts"), Namespace("e", "c"),
        Namespace("e", "system.buckets.ts"), Namespace("admin", "c"),
        Namespace("admin", "system.users"), Namespace("config", "c"),
        Namespace("local", "c"), Namespace("local", "replset.minvalid"),
    ]

    private static let grants: [UserPrivileges.Grant] = [
        .anyResource, .collections(database: "", collection: ""),
        .collections(database: "d", collection: ""), .collections(database: "", collection: "c"),
        .collections(database: "d", collection: "c"),
        .collections(database: "", collection: "system.js"),
        .collections(database: "d", collection: "system.buckets.ts"),
        .collections(database: "config", collection: ""),
        .collections(database: "local", collection: ""),
        .buckets(database: "", timeSeries: ""), .buckets(database: "d", timeSeries: ""),
        .buckets(database: "", timeSeries: "ts"), .buckets(database: "d", timeSeries: "ts"),
        .buckets(database: "e", timeSeries: "other"),
    ]

    @Test func grantsMeanWhatAServerTakesThemFor() async throws {
        let server = try await LimitedServer.alone()
        let limited = try await server.limited("d")
        for grant in Self.grants {
            let grants = RoleGrants([RoleGrants.Pair(action: "find", grant: grant)])
            try await server.grant(grants)
            let listed = try await limited.pool.withConnection { try await $0.userPrivileges() }
            #expect(listed.isKnown)
            for namespace in Self.namespaces {
                let isAllowed = try await Self.isReadable(namespace, limited.pool)
                let privilege = Privilege("find", on: PrivilegeNeeds.resource(namespace))
                #expect(listed.allows(privilege) == isAllowed, "\(grant): \(namespace)")
                #expect(
                    grants.privileges.allows(privilege) == isAllowed, "\(grant): \(namespace)")
            }
        }
    }

    private static func isReadable(_ namespace: Namespace, _ pool: MongoPool) async throws -> Bool {
        let command = BSONDocument {
            $0.append("find", namespace.collection)
            $0.append("limit", Int32(1))
        }
        do {
            _ = try await pool.withConnection { connection in
                try await connection.run(command, on: namespace.database)
            }
            return true
        } catch let error as MongoError where error.code == .unauthorized {
            #expect(error.message.hasPrefix("find on \(namespace) failed"), "\(error)")
            return false
        }
    }

    /// A server without authorization lists what an authenticated user has, and allows everything.
    @Test func aServerThatDoesNotAskAllowsEverything() async throws {
        var options = PrivateServer.Options()
        options.isReplicaSet = false
        let server = try await PrivateServer(options)
        try await LimitedUserTests.createUser("reader", "read", on: "other", server.uri)
        for uri in [server.uri, try LimitedUserTests.uri("reader", server.port)] {
            let fixture = try await SnapshotFixture(uri, database: "d")
            let user = try await fixture.pool.withConnection { try await $0.userPrivileges() }
            #expect(!user.isKnown)
            try await fixture.insert([document(1)], "c")
            try await fixture.backup()
            try await fixture.restore()
            try await fixture.drop()
        }
    }

    @Test func noUserWhereOneIsAskedForHasNothing() async throws {
        let server = try await LimitedServer.alone()
        let nobody = try await SnapshotFixture(server.server, database: "d")
        let error = try await #require(throws: MongoError.self) { try await nobody.backup() }
        #expect(error.code == .unauthorized)
        #expect(error.message.contains("listCollections"), "\(error)")
    }

    /// What messages say of roles is true of the server's.
    @Test(arguments: BuiltinRole.all("d").map { ($0.name, $0.database ?? "admin") })
    func rolesHaveWhatIsSaidOfThem(_ name: String, _ database: String) async throws {
        let server = try await LimitedServer.shared()
        try await LimitedUserTests.createUser(
            "with_\(name)", name, on: database, server.owner)
        let uri = try LimitedUserTests.uri("with_\(name)", server.server.port)
        let fixture = try await SnapshotFixture(uri, database: "d")
        let listed = try await fixture.pool.withConnection { try await $0.userPrivileges() }
        let role = try #require(
            BuiltinRole.all("d").first { $0.name == name && ($0.database ?? "admin") == database })
        let actions = [
            "applyOps", "bypassDocumentValidation", "collMod", "collStats", "convertToCapped",
            "createCollection", "createIndex", "createRole", "createUser", "dbStats",
            "dropCollection", "dropIndex", "dropRole", "dropUser", "find", "getParameter",
            "grantRole", "insert", "listCollections", "listDatabases", "listIndexes", "remove",
            "renameCollectionSameDB", "revokeRole", "serverStatus", "update",
        ]
        let resources: [Privilege.Resource] =
            [.cluster, .anyCollection, .database("d"), .database("e"), .database("local")]
            + Self.namespaces.map(PrivilegeNeeds.resource)
            + [
                .collection("tempusers", in: "admin"), .collection("system.roles", in: "admin"),
                .collection("system.version", in: "admin"), .collection("oplog.rs", in: "local"),
                .collection("transactions", in: "config"),
            ]
        for resource in resources {
            for action in actions {
                let privilege = Privilege(action, on: resource)
                guard role.privileges.allows(privilege) else { continue }
                #expect(listed.allows(privilege), "\(name): \(action) on \(resource)")
            }
        }
    }
}
