import Synchronization
import Testing

@testable import MongoDriver

/// What a question on a connection of its own tells of a server while a call waits.
@Suite struct WatchedHostTests {
    private static func dial(_ kind: DialError.Kind) -> DialError {
        DialError(kind: kind, detail: "as a test wants it")
    }

    private static func handshake(isSilence: Bool) -> Dialer.HandshakeError {
        Dialer.HandshakeError(detail: "as a test wants it", isSilence: isSilence)
    }

    @Test func onlyWhatTellsOfSilenceCounts() {
        typealias Finding = WatchedHost.Finding
        for kind in [DialError.Kind.refused, .timedOut, .unreachable, .givenUp] {
            #expect(Finding(Self.dial(kind)) == .silent, "\(kind)")
        }
        for kind in [DialError.Kind.unknownName, .lookupFailed, .system] {
            #expect(Finding(Self.dial(kind)) == .unknown, "\(kind)")
        }
        #expect(Finding(Self.handshake(isSilence: true)) == .silent)
        #expect(Finding(Self.handshake(isSilence: false)) == .alive)
        #expect(Finding(HelloConnection.Failure(kind: .silent)) == .silent)
        #expect(Finding(HelloConnection.Failure(kind: .ended)) == .alive)
        #expect(Finding(HelloConnection.Failure(kind: .foreign)) == .alive)
    }

    /// A server works at a command for longer than a silent one is given, and new connections to it
    /// can't be made for another reason: its call is left alone.
    @Test(.timeLimit(.minutes(5)), arguments: [true, false])
    func aCallIsNotGivenUpForWantOfAQuestion(isHandshake: Bool) async throws {
        let count = Atomic<Int>(0)
        let host = WatchedHost(try #require(ServerPlace("h.example:1")), ServerNotices()) { _, _ in
            count.wrappingAdd(1, ordering: .relaxed)
            throw isHandshake ? Self.handshake(isSilence: false) : Self.dial(.lookupFailed)
        }
        let start = MonotonicClock.now
        let limit = WatchedHost.Limits.silence + 2 * WatchedHost.Limits.quiet
        func seconds() -> Double { MonotonicClock.seconds(from: start, to: MonotonicClock.now) }
        // However busy the machine is: for longer than a silent server is given, and until it was
        // asked several times.
        while seconds() < limit || count.load(ordering: .relaxed) < 3 {
            #expect(host.silence(waitingSince: start, condemnedBefore: 0) == nil)
            try await Task.sleep(for: .milliseconds(50))
        }
        // It is asked again and again, but not all the time.
        let askedCount = count.load(ordering: .relaxed)
        #expect(Double(askedCount) <= seconds() / WatchedHost.Limits.quiet + 1, "\(askedCount)")
    }
}
