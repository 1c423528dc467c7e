internal import Foundation
internal import SnapshotJSON
internal import Snapshots
internal import Testing

@testable internal import HTTPService

/// Selections as large as they may be, done by a service with a real server.
@Suite(.needsServer) struct LargestSelectionTests {
    /// The bodies of backups, each of which takes the fixture's database.
    private static func bodies(_ database: String) -> [String] {
        let count = SelectionLimits.patternCountMax
        let controls = String(repeating: "\u{1}", count: 5)
        let many = (0..<count - 1).map { "d\($0).*\(controls)" } + ["\(database).*"]
        let databases =
            (0..<count - 1).map { number in
                "d\(number)".padding(toLength: 63, withPad: "x", startingAt: 0)
            } + [database]
        let stars =
            ["\(database).*"]
            + (0..<60).map { number in
                "*\(number)" + String(repeating: "*a", count: SelectionLimits.asteriskCountMax - 2)
                    + ".zz"
            }
        return [
            JSONValue.object(["ns_include": .array(many.map { .string($0) })]).text,
            JSONValue.object(["databases": .array(databases.map { .string($0) })]).text,
            JSONValue.object(["ns_include": .array(stars.map { .string($0) })]).text,
        ]
    }

    @Test func areBackedUpAndRestored() async throws {
        let fixture = try await ServiceFixture()
        try await fixture.fill(count: 3)
        try await fixture.serve { client in
            for body in Self.bodies(fixture.database) {
                let backup = try await client.makeBackup(body)
                let renames = (0..<SelectionLimits.patternCountMax / 2 - 2).map { number in
                    JSONValue.object([
                        "from": .string("\(fixture.database).it*\(number % 2 == 0 ? "" : "ms")"),
                        "to": .string("\(fixture.database).copy*"),
                    ])
                }
                let restore = JSONValue.object([
                    "mode": .string("replace"), "pre_restore_backup": .bool(true),
                    "rename": .array(renames),
                    "ns_include": .array([.string("\(fixture.database).it*")]),
                ])
                let started = try await client.post(
                    "backup/\(backup)/restore", restore.text, headers: ["Prefer": "wait=60"])
                #expect([200, 202].contains(started.status), "\(started)")
                let job = try await client.ended(try started.string("job_id"))
                #expect(try job.string("status") == "SUCCEEDED", "\(job)")
            }
        }
        try await fixture.drop()
    }
}
