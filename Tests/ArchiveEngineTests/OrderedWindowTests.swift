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
