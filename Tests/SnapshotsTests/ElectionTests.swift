import BSONBytes
import MongoDriver
import PrivateServer
import Snapshots
import Testing

extension InterruptedJobTests {
    /// A restore during which the replica set elects a primary.
    @Suite struct ElectionTests {
        /// Renames of small collections do not wait for a majority, so what was renamed under a
        /// primary that is none any more may be gone. What is gone is put in place again.
        @Test func anElectionWhileTheyArePutInPlaceCostsNothing() async throws {
            let server = try await PrivateServer()
            let fixture = try await SnapshotFixture(server)
            for number in 0..<20 { try await fixture.insert([document(1)], "c\(number)") }
            try await fixture.backup()
            for number in 0..<20 { try await fixture.insert([document(2)], "c\(number)") }
            let gate = Gate { $0.phase == .publishing && $0.subject != nil }
            _ = try await gate.run({ observer in
                try await fixture.restore(observer: observer) { $0.enduranceSeconds = 60 }
            }) {
                try await Self.elect(fixture)
            }
            for number in 0..<20 {
                #expect(try await fixture.documents("c\(number)") == [document(1)])
            }
            try await server.stop()
        }

        /// Makes the primary step down and waits until it is one again.
        private static func elect(_ fixture: SnapshotFixture) async throws {
            try await fixture.pool.withConnection { connection in
                let stepDown = BSONDocument {
                    $0.append("replSetStepDown", Int32(1))
                    $0.append("force", true)
                }
                _ = try await connection.run(stepDown, on: "admin")
                for _ in 0..<300 {
                    let hello = try await connection.run(
                        BSONDocument { $0.append("hello", Int32(1)) }, on: "admin")
                    if try hello.first("isWritablePrimary")?.bool == true { return }
                    try await Task.sleep(for: .milliseconds(100))
                }
                Issue.record("no primary was elected")
            }
        }
    }
}
