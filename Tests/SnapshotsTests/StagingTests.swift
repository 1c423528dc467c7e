import ArchiveFormat
import BSONBytes
import Glibc
import MongoDriver
import PrivateServer
import Snapshots
import Testing

@testable import ObjectStorage

/// What killed restores leave behind. Each test has a server of its own, for a restore cleans up in
/// all databases.
@Suite(.needsServer) struct StagingTests {
    /// Names of staging collections by what became of their owners.
    static func name(host: String? = nil, process: Int32? = nil, start: String? = nil) -> String {
        let own = OwnerToken.current.description.split(separator: "-").map(String.init)
        let process = process.map { "\($0)" } ?? own[1]
        return "cairn.staging.\(host ?? own[0])-\(process)-\(start ?? own[2]).1000000"
    }

    /// Of a process that lives and is not this one.
    static let ofAnotherProcess = "cairn.staging.\(OwnerToken(processID: getppid())).1"

    /// The highest id that no system gives to a process.
    static let noProcess: Int32 = .max

    @Test func thoseOfDeadOwnersAreRemovedAndOthersAreLeftAlone() async throws {
        let server = try await PrivateServer()
        let fixture = try await SnapshotFixture(server)
        try await fixture.insert([document(1)], "c")
        try await fixture.backup()
        // The last is of this process, which could not clean up after an earlier restore.
        let dead = [
            Self.name(process: Self.noProcess), Self.name(start: "00000000"), Self.name(),
        ]
        let left = [
            Self.name(host: "00000000"), Self.ofAnotherProcess, "cairn.staging.mine",
            "cairn.staging",
        ]
        for name in dead + left { try await fixture.insert([document(7)], name) }
        let observer = RecordingObserver()
        try await fixture.restore(included: ["*.c"], observer: observer)
        #expect(try await fixture.names() == (left + ["c"]).sorted())
        let notices = observer.notices
        #expect(notices.count == 4, "\(notices)")
        for name in dead {
            #expect(notices.contains { $0.contains("removed") && $0.contains(name) })
        }
        #expect(notices.contains { $0.contains(left[0]) && $0.contains("another host") })
        try await server.stop()
    }

    @Test func thoseInOtherDatabasesAreRemovedToo() async throws {
        let server = try await PrivateServer()
        let fixture = try await SnapshotFixture(server)
        let other = try await SnapshotFixture(server)
        try await fixture.insert([document(1)], "c")
        try await fixture.backup()
        for name in [Self.name(process: Self.noProcess), "kept"] {
            try await other.insert([document(7)], name)
        }
        try await fixture.restore()
        #expect(try await other.names() == ["kept"])
        try await server.stop()
    }

    @Test func aBackupDoesNotTakeThem() async throws {
        let server = try await PrivateServer()
        let fixture = try await SnapshotFixture(server)
        for name in ["c", Self.name(), Self.name(host: "00000000"), "cairn.staging.mine"] {
            try await fixture.insert([document(1)], name)
        }
        let report = try await fixture.backup()
        #expect(
            report.manifest.namespaces.map(\.descriptor.namespace.collection)
                == ["c", "cairn.staging.mine"])
        try await server.stop()
    }
}
