import Testing

@testable import ServiceState

@Suite struct IdempotencyTests {
    private let folder = TemporaryFolder()
    private let store: StateStore
    private let response = StoredResponse(
        status: 202,
        headers: [.init(name: "Location", value: "/jobs/ä"), .init(name: "A", value: "")],
        body: [0, 255, 123])

    init() async throws {
        store = try await StateStore(folder: folder.path)
    }

    private func claim(
        _ store: StateStore, key: String = "k", subject: String = "ann", fingerprint: String = "f",
        now: Int64 = 1000
    ) async throws -> IdempotencyClaim {
        try await store.claim(key: key, subject: subject, fingerprint: fingerprint, now: now)
    }

    @Test func aRepeatedRequestGetsTheFirstAnswer() async throws {
        #expect(try await claim(store) == .new)
        #expect(try await claim(store) == .inProgress)
        try await store.complete(key: "k", subject: "ann", response: response)
        #expect(try await claim(store) == .replay(response))
        #expect(try await claim(store, fingerprint: "g") == .mismatch)
        #expect(try await claim(store, subject: "ben") == .new)
        #expect(try await claim(store, key: "l") == .new)
    }

    @Test func aKeyIsForAnotherRequestWhileTheFirstIsAnsweredToo() async throws {
        #expect(try await claim(store) == .new)
        #expect(try await claim(store, fingerprint: "g") == .mismatch)
    }

    @Test func aReleasedKeyIsNew() async throws {
        #expect(try await claim(store) == .new)
        try await store.release(key: "k", subject: "ben")
        #expect(try await claim(store) == .inProgress)
        try await store.release(key: "k", subject: "ann")
        #expect(try await claim(store, fingerprint: "g") == .new)
    }

    @Test func keysAreForgottenAfterADay() async throws {
        let day = StateLimits.idempotencyKeyLifetimeMilliseconds
        #expect(try await claim(store) == .new)
        try await store.complete(key: "k", subject: "ann", response: response)
        #expect(try await claim(store, now: 999 + day) == .replay(response))
        #expect(try await claim(store, now: 1000 + day) == .new)
        // One that is being answered is not.
        #expect(try await claim(store, now: 1001 + 2 * day) == .inProgress)
        try await store.complete(key: "k", subject: "ann", response: response)
        #expect(try await store.pruneIdempotencyKeys(now: 999 + 2 * day) == 0)
        #expect(try await store.pruneIdempotencyKeys(now: 1000 + 2 * day) == 1)
        #expect(try await store.pruneIdempotencyKeys(now: .min) == 0)
    }

    @Test func aKeyIsCompletedOnce() async throws {
        func complete(_ response: StoredResponse) async -> StateError.Code? {
            await codeThrown {
                try await store.complete(key: "k", subject: "ann", response: response)
            }
        }
        #expect(await complete(response) == .notFound)
        #expect(try await claim(store) == .new)
        let long = [UInt8](repeating: 0, count: StateLimits.responseByteCountMax + 1)
        #expect(await complete(StoredResponse(status: 200, body: long)) == .invalidValue)
        #expect(await complete(response) == nil)
        #expect(await complete(response) == .invalidTransition)
        try await store.release(key: "k", subject: "ann")
        #expect(try await claim(store) == .replay(response))
    }

    @Test func ofTwoRequestsAtOnceOneIsNew() async throws {
        let claims = try await withThrowingTaskGroup(of: IdempotencyClaim.self) { group in
            for _ in 0..<20 { group.addTask { try await claim(store) } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(claims.filter { $0 == .new }.count == 1)
        #expect(claims.filter { $0 == .inProgress }.count == 19)
    }

    // MARK: Keys with jobs

    @Test func aJobWithoutAClaimIsNotMade() async throws {
        let key = IdempotencyKey(key: "k", subject: "ann")
        let code = await codeThrown { try await store.insertJob(.made("a"), claim: key) }
        #expect(code == .notFound)
        #expect(try await store.job("a") == nil)
    }

    @Test func aKeyIsForOneJob() async throws {
        let key = IdempotencyKey(key: "k", subject: "ann")
        #expect(try await claim(store) == .new)
        try await store.insertJob(.made("a"), claim: key)
        let code = await codeThrown { try await store.insertJob(.made("b"), claim: key) }
        #expect(code == .notFound)
        #expect(try await store.job("b") == nil)
        #expect(try await claim(store) == .job("a"))
        try await store.release(key: "k", subject: "ann")
        #expect(try await claim(store) == .job("a"))
        // The key could not answer with a job that is gone.
        try await store.end("a", as: .canceled, at: 2000)
        #expect(try await store.pruneJobs(keepNewest: 0, finishedBefore: nil) == 0)
        try await store.complete(key: "k", subject: "ann", response: response)
        #expect(try await claim(store) == .replay(response))
    }

    /// The process is killed between making the job and answering.
    @Test func afterAKillTheKeyAnswersWithItsJob() async throws {
        #expect(try await claim(store, key: "with") == .new)
        let key = IdempotencyKey(key: "with", subject: "ann")
        try await store.insertJob(.made("a"), claim: key)
        #expect(try await claim(store, key: "without") == .new)
        #expect(try await claim(store, key: "answered") == .new)
        try await store.complete(key: "answered", subject: "ann", response: response)
        let copy = try folder.copy()
        let reopened = try await StateStore(folder: copy.path)
        #expect(try await claim(reopened, key: "with") == .job("a"))
        #expect(try await reopened.failInterruptedJobs(reason: "killed", at: 1).map(\.id) == ["a"])
        #expect(try await claim(reopened, key: "with") == .job("a"))
        #expect(try await claim(reopened, key: "answered") == .replay(response))
        // It had made nothing.
        #expect(try await claim(reopened, key: "without") == .new)
    }

    @Test func aKeyThatCannotBeStoredIsRefused() async throws {
        #expect(await codeThrown { _ = try await claim(store, key: "k\0l") } == .invalidValue)
        let long = String(repeating: "k", count: StateLimits.textByteCountMax + 1)
        #expect(await codeThrown { _ = try await claim(store, key: long) } == .invalidValue)
    }
}
