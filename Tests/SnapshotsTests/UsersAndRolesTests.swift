import ArchiveFormat
import BSONBytes
import MongoDriver
import PrivateServer
import Snapshots
import Testing

/// Users and roles belong to the whole server, so these tests have one of their own.
@Suite(.needsServer) struct UsersAndRolesTests {
    @Test func theyComeBackByReplaceAndByMerge() async throws {
        let server = try await PrivateServer()
        let fixture = try await SnapshotFixture(server, database: "shop")
        try await fixture.insert([document(1)], "items")
        try await makeUsers(fixture)
        let users = try await fixture.documents("system.users", in: "admin").inByteOrder
        let roles = try await fixture.documents("system.roles", in: "admin").inByteOrder
        let report = try await fixture.backup(filter: NamespaceFilter())
        let first = report.manifest.namespaces.prefix(3).map(\.descriptor.namespace.description)
        #expect(first == ["admin.system.users", "admin.system.roles", "admin.system.version"])

        // Replace: exactly as before.
        try await alterUsers(fixture)
        let altered = try await fixture.documents("system.users", in: "admin").inByteOrder
        #expect(altered != users)
        try await fixture.restore(usersAndRoles: false)
        #expect(try await fixture.documents("system.users", in: "admin").inByteOrder == altered)
        let replaced = try await fixture.restore(included: ["admin.system.*"])
        #expect(
            replaced.entries.map(\.source.description).sorted()
                == ["admin.system.roles", "admin.system.users"])
        #expect(try await fixture.documents("system.users", in: "admin").inByteOrder == users)
        #expect(try await fixture.documents("system.roles", in: "admin").inByteOrder == roles)
        #expect(try await fixture.names(in: "admin").filter { $0.hasPrefix("temp") } == [])

        // Merge: the dropped one is added, the altered and the new one stay as they are.
        try await alterUsers(fixture)
        let before = try await fixture.documents("system.users", in: "admin")
        let merge = try await fixture.restore(nil, .merge, included: ["admin.system.*"])
        let outcome = merge.entries.first { $0.source.collection == "system.users" }?.outcome
        #expect(outcome?.insertedCount == 1)
        // What was left alone although it differs is not equal.
        #expect(outcome?.keptCount == 1)
        #expect(outcome?.equalCount == outcome.map { $0.documentCount - 2 })
        let merged = try await fixture.documents("system.users", in: "admin")
        #expect(merged.count == before.count + 1)
        #expect(Set(merged).isSuperset(of: before))
        #expect(Set(merged).subtracting(before).isSubset(of: users))
        try await server.stop()
    }

    /// Who restores users and roles that give them less, or that they are not among, has restored
    /// all of it when they lose their rights.
    @Test(arguments: [false, true])
    func theUserWhoRestoresMayLoseTheirRights(isGone: Bool) async throws {
        let server = try await LimitedServer.alone()
        let owner = try await SnapshotFixture(server.owner, database: "d")
        try await owner.insert([document(1)], "c")
        try await owner.command(
            BSONDocument {
                $0.append("createRole", "operators")
                $0.append("privileges", array: [BSONDocument]())
                $0.append("roles", array: isGone ? ["root"] : [])
            }, on: "admin")
        if !isGone {
            try await LimitedUserTests.createUser(
                "operator", "operators", on: "admin", server.owner)
        }
        try await owner.backup(filter: NamespaceFilter())
        let users = try await owner.documents("system.users", in: "admin").inByteOrder
        let roles = try await owner.documents("system.roles", in: "admin").inByteOrder
        if isGone {
            try await LimitedUserTests.createUser("operator", "root", on: "admin", server.owner)
        } else {
            try await owner.command(
                BSONDocument {
                    $0.append("updateRole", "operators")
                    $0.append("roles", array: ["root"])
                }, on: "admin")
        }
        try await owner.dropCollection("c")
        let limited = try await SnapshotFixture(
            LimitedUserTests.uri("operator", server.server.port), database: "d")
        let archive = ArchiveLocation.snapshot("latest", in: owner.catalog)
        let observer = RecordingObserver()
        let report = try await limited.restore(archive, observer: observer)
        #expect(report.entries.map(\.target.description).contains("d.c"))
        #expect(observer.notices.contains { $0.contains("admin.tempusers") })
        #expect(try await owner.documents("c").count == 1)
        #expect(try await owner.documents("system.users", in: "admin").inByteOrder == users)
        #expect(try await owner.documents("system.roles", in: "admin").inByteOrder == roles)
        // The next one tidies up.
        try await owner.restore(archive)
        #expect(try await owner.names(in: "admin").filter { $0.hasPrefix("temp") } == [])
        try await server.server.stop()
    }

    private func makeUsers(_ fixture: SnapshotFixture) async throws {
        try await fixture.command(
            BSONDocument {
                $0.append("createRole", "reader_of_items")
                let resource = BSONDocument {
                    $0.append("db", "shop")
                    $0.append("collection", "items")
                }
                $0.append(
                    "privileges",
                    array: [
                        BSONDocument {
                            $0.append("resource", resource)
                            $0.append("actions", array: ["find"])
                        }
                    ])
                $0.append("roles", array: ["read"])
            })
        try await create("anna", role: "reader_of_items", fixture)
        try await create("bert", role: "readWrite", fixture)
    }

    /// One goes, one gets another role, one is new, and the role may do more.
    private func alterUsers(_ fixture: SnapshotFixture) async throws {
        try await fixture.command(BSONDocument { $0.append("dropUser", "anna") })
        try await fixture.command(
            BSONDocument {
                $0.append("updateUser", "bert")
                $0.append("roles", array: ["read"])
            })
        let names = try await fixture.documents("system.users", in: "admin").map {
            try $0.require("user", \.string)
        }
        if !names.contains("carl") { try await create("carl", role: "read", fixture) }
        try await fixture.command(
            BSONDocument {
                $0.append("updateRole", "reader_of_items")
                $0.append("roles", array: ["readWrite"])
            })
    }

    private func create(_ user: String, role: String, _ fixture: SnapshotFixture) async throws {
        try await fixture.command(
            BSONDocument {
                $0.append("createUser", user)
                $0.append("pwd", "secret")
                $0.append("roles", array: [role])
            })
    }
}
