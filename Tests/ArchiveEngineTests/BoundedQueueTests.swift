import ArchiveEngine
import Synchronization
import Testing

@Suite struct BoundedQueueTests {
    struct Failure: Error {}

    @Test(arguments: [1, 3])
    func everyElementArrivesInOrder(_ capacity: Int) async throws {
        let sum = try await withProducer(capacity: capacity) { send in
            for number in 0..<1000 { try await send(number) }
        } consume: { (next: () async throws -> Int?) in
            var expected = 0
            while let number = try await next() {
                #expect(number == expected)
                expected += 1
                if number % 10 == 0 { await Task.yield() }
            }
            return expected
        }
        #expect(sum == 1000)
    }

    @Test func theProducerIsNeverMoreThanItsCapacityAhead() async throws {
        let sent = Mutex(0)
        try await withProducer(capacity: 2) { send in
            for number in 0..<50 {
                try await send(number)
                sent.withLock { $0 += 1 }
            }
        } consume: { (next: () async throws -> Int?) in
            var taken = 0
            while try await next() != nil {
                taken += 1
                for _ in 0..<20 { await Task.yield() }
                #expect(sent.withLock { $0 } <= taken + 3)
            }
        }
    }

    @Test func theProducersErrorComesAfterItsElements() async throws {
        var taken: [Int] = []
        await #expect(throws: Failure.self) {
            try await withProducer(capacity: 4) { send in
                try await send(1)
                try await send(2)
                throw Failure()
            } consume: { (next: () async throws -> Int?) in
                while let number = try await next() { taken.append(number) }
            }
        }
        #expect(taken == [1, 2])
    }

    @Test func aConsumerThatGivesUpEndsTheProducer() async throws {
        await #expect(throws: Failure.self) {
            try await withProducer(capacity: 1) { send in
                while true { try await send(0) }
            } consume: { (next: () async throws -> Int?) in
                _ = try await next()
                throw Failure()
            }
        }
    }

    @Test func cancellationEndsBothSides() async throws {
        let task = Task {
            try await withProducer(capacity: 1) { send in
                try await Task.sleep(for: .seconds(60))
                try await send(1)
            } consume: { (next: () async throws -> Int?) in
                while try await next() != nil {}
            }
        }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
    }
}
