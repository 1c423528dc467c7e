import Synchronization
import Testing

@testable import MongoDriver

private actor Record {
    var numbers: [Int] = []
    func append(_ number: Int) { numbers.append(number) }
}

@Suite struct WaitingLineTests {
    private func makeLine(_ countMax: Int) -> WaitingLine<Int> {
        let made = Mutex(0)
        return WaitingLine(countMax: countMax) {
            made.withLock { count in
                count += 1
                return count
            }
        }
    }

    /// Yields until `count` wait; the test's time limit ends it otherwise.
    private func waitFor(_ count: Int, in line: WaitingLine<Int>) async {
        while line.waiterCount < count { await Task.yield() }
    }

    @Test(.timeLimit(.minutes(1))) func thingsAreReusedAndNeverMoreThanAllowed() async throws {
        let line = makeLine(2)
        let first = try await line.take()
        line.giveBack(first)
        #expect(try await line.take() == first)
        #expect(try await line.take() == 2)
        async let third = line.take()
        await waitFor(1, in: line)
        line.giveBack(2)
        #expect(try await third == 2)
    }

    @Test(.timeLimit(.minutes(1))) func whoComesFirstIsServedFirst() async throws {
        let line = makeLine(1)
        let thing = try await line.take()
        let record = Record()
        try await withThrowingTaskGroup { group in
            for number in 0..<20 {
                group.addTask {
                    let thing = try await line.take()
                    await record.append(number)
                    line.giveBack(thing)
                }
                await waitFor(number + 1, in: line)
            }
            line.giveBack(thing)
            try await group.waitForAll()
        }
        #expect(await record.numbers == Array(0..<20))
    }

    @Test(.timeLimit(.minutes(1))) func whoIsCancelledLeavesTheLine() async throws {
        let line = makeLine(1)
        let thing = try await line.take()
        let task = Task { try await line.take() }
        await waitFor(1, in: line)
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(line.waiterCount == 0)
        line.giveBack(thing)
        #expect(try await line.take() == thing)
    }

    @Test(.timeLimit(.minutes(1))) func aClosedLineTurnsEverybodyAway() async throws {
        let line = makeLine(1)
        let thing = try await line.take()
        let task = Task { try await line.take() }
        await waitFor(1, in: line)
        line.close()
        await #expect(throws: MongoError.self) { try await task.value }
        line.giveBack(thing)
        await #expect(throws: MongoError.self) { try await line.take() }
    }

    @Test func aFailureToMakeIsNotCounted() async throws {
        let isBroken = Mutex(true)
        let line = WaitingLine<Int>(countMax: 1) {
            if isBroken.withLock({ $0 }) { throw MongoError(.network, "broken") }
            return 1
        }
        await #expect(throws: MongoError.self) { try await line.take() }
        isBroken.withLock { $0 = false }
        #expect(try await line.take() == 1)
    }
}
