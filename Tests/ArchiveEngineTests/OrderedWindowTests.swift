import ArchiveEngine
import Synchronization
import Testing

@Suite struct OrderedWindowTests {
    struct Failure: Error {}

    @Test(arguments: [1, 2, 7])
    func resultsComeInInputOrderAndNeverMoreThanWidthAtOnce(_ width: Int) async throws {
        let running = Mutex((now: 0, most: 0))
        var given = 0
        var taken = 0
        var results: [Int] = []
        try await withOrderedWindow(
            width: width,
            next: {
                guard given < 100 else { return nil }
                given += 1
                #expect(given - taken <= width)
                return given
            },
            transform: { (number: Int) async throws -> Int in
                running.withLock {
                    $0.now += 1
                    $0.most = max($0.most, $0.now)
                }
                for _ in 0..<(number * 7 % 5) { await Task.yield() }
                running.withLock { $0.now -= 1 }
                return number * 2
            },
            deliver: { result in
                taken += 1
                results.append(result)
            })
        #expect(results == (1...100).map { $0 * 2 })
        #expect(running.withLock { $0.most } <= width)
    }

    /// A result that is slow to come holds up only what is beyond the window.
    @Test func resultsWaitForTheirTurnWhileOthersAreMade() async throws {
        let started = Mutex(0)
        var given = 0
        var results: [Int] = []
        try await withOrderedWindow(
            width: 2, ahead: 3,
            next: {
                guard given < 20 else { return nil }
                given += 1
                #expect(given - results.count <= 5)
                return given
            },
            transform: { (number: Int) async throws -> Int in
                let count = started.withLock {
                    $0 += 1
                    return $0
                }
                #expect(count <= 20)
                // The first one ends when four others have been begun, which only `ahead` allows.
                while number == 1, started.withLock({ $0 }) < 5 { await Task.yield() }
                return number
            },
            deliver: { results.append($0) })
        #expect(results == Array(1...20))
    }

    private struct Heavy: WeighedElement {
        let number: Int
        let heldByteCount: Int
    }

    /// Of elements of 32 MiB two are in a window of seven, of small ones as many as there may be.
    @Test(arguments: [(32 * 1024 * 1024, 2), (64 * 1024 * 1024, 1), (1024 * 1024, 7)])
    func ofHeavyElementsFewerAreInAWindow(_ byteCount: Int, _ countMax: Int) async throws {
        let starting = Mutex((now: 0, most: 0))
        var given = 0
        var results: [Int] = []
        try await withOrderedWindow(
            width: 4, ahead: 3,
            next: {
                guard given < 50 else { return nil }
                given += 1
                starting.withLock {
                    $0.now += 1
                    $0.most = max($0.most, $0.now)
                }
                return Heavy(number: given, heldByteCount: byteCount)
            },
            transform: { (heavy: Heavy) async throws -> Int in heavy.number },
            deliver: { number in
                starting.withLock { $0.now -= 1 }
                results.append(number)
            })
        #expect(results == Array(1...50))
        #expect(starting.withLock { $0.most } <= countMax)
    }

    /// One always fits, however heavy; the others wait.
    @Test func ofHeavyElementsOneWaitsInAQueue() async throws {
        let sent = Mutex(0)
        var received: [Int] = []
        try await withProducer(capacity: 2) { send in
            for number in 1...20 {
                try await send(Heavy(number: number, heldByteCount: 100 * 1024 * 1024))
                sent.withLock { $0 = number }
            }
        } consume: { next in
            while let heavy = try await next() {
                received.append(heavy.number)
                for _ in 0..<20 { await Task.yield() }
                #expect(sent.withLock { $0 } <= heavy.number + 1)
            }
        }
        #expect(received == Array(1...20))
    }

    @Test(arguments: ["next", "transform", "deliver"], [1, 4])
    func anErrorOfAnyStageEndsIt(_ stage: String, _ width: Int) async throws {
        var given = 0
        await #expect(throws: Failure.self) {
            try await withOrderedWindow(
                width: width,
                next: {
                    given += 1
                    if stage == "next", given == 5 { throw Failure() }
                    return given
                },
                transform: { (number: Int) async throws -> Int in
                    if stage == "transform", number == 5 { throw Failure() }
                    return number
                },
                deliver: { if stage == "deliver", $0 == 5 { throw Failure() } })
        }
        #expect(given < 5 + 2 * width)
    }
}
