import MongoDriver
import Testing

@testable import Snapshots

@Suite struct WritePacerTests {
    private let clock = ManualClock()
    private let observer = RecordingObserver()

    private func write(
        _ pacer: WritePacer, times count: Int, under pressure: ServerPressure
    ) async throws {
        for _ in 0..<count {
            try await clock.sleep(for: .seconds(1))
            try await pacer.willWrite(bytes: 1, documents: 1) { pressure }
        }
    }

    private static let calm = ServerPressure(cacheUse: 0.8, dirtyCache: 0.1, isLagging: false)

    @Test(arguments: [
        ServerPressure(cacheUse: 0.96, dirtyCache: 0, isLagging: false),
        ServerPressure(cacheUse: 0.5, dirtyCache: 0.2, isLagging: false),
        ServerPressure(cacheUse: 0, dirtyCache: 0, isLagging: true),
    ])
    func writersSlowDownUnderPressureAndComeBack(_ pressure: ServerPressure) async throws {
        let pacer = WritePacer(limiter: nil, observer: observer, clock: clock)
        try await write(pacer, times: 3, under: Self.calm)
        #expect(pacer.pauseSeconds == 0)
        try await write(pacer, times: 3, under: pressure)
        #expect((0.05...0.2).contains(pacer.pauseSeconds))
        try await write(pacer, times: 100, under: pressure)
        #expect(pacer.pauseSeconds == 1)
        #expect(observer.notices.count == 1)
        try await write(pacer, times: 20, under: Self.calm)
        #expect(pacer.pauseSeconds == 0)
    }

    @Test func aUserWhoMayNotAskWritesAsFastAsTheServerTakesIt() async throws {
        let pacer = WritePacer(limiter: nil, observer: observer, clock: clock)
        var count = 0
        for _ in 0..<5 {
            try await clock.sleep(for: .seconds(2))
            try await pacer.willWrite(bytes: 1, documents: 1) {
                count += 1
                throw MongoError(.unauthorized, "not authorized")
            }
        }
        #expect(count == 1)
        #expect(pacer.pauseSeconds == 0)
        #expect(observer.notices.isEmpty)
    }

    @Test func aServerThatIsGoneIsNoReasonToWriteOn() async throws {
        let pacer = WritePacer(limiter: nil, observer: observer, clock: clock)
        await #expect(throws: MongoError.self) {
            try await pacer.willWrite(bytes: 1, documents: 1) { throw MongoError(.network, "gone") }
        }
    }

    @Test(.needsServer) func aServerTellsHowHardPressedItIs() async throws {
        let fixture = try await SnapshotFixture.shared()
        let pressure = try await fixture.pool.withConnection { try await $0.serverPressure() }
        #expect((0.000_1...1).contains(pressure.cacheUse))
        #expect((0...1).contains(pressure.dirtyCache))
        #expect(!pressure.isLagging)
    }
}
