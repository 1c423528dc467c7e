import Foundation
import JWTKit
import Synchronization
import Testing

@testable import AccessControl

/// An issuer whose answers a test decides, and that counts how often it was asked.
private final class TestIssuer: Sendable {
    private struct State {
        var answer: Result<KeySetDocument, AccessError>
        var fetchCount = 0
        var isHeld = false
        var held: [CheckedContinuation<Void, Never>] = []
    }

    private let state: Mutex<State>

    init(_ jwks: String, maxAgeSeconds: Double? = nil) {
        let document = KeySetDocument(bytes: Array(jwks.utf8), maxAgeSeconds: maxAgeSeconds)
        state = Mutex(State(answer: .success(document)))
    }

    var fetchCount: Int { state.withLock { $0.fetchCount } }

    func answer(_ jwks: String, maxAgeSeconds: Double? = nil) {
        let document = KeySetDocument(bytes: Array(jwks.utf8), maxAgeSeconds: maxAgeSeconds)
        state.withLock { $0.answer = .success(document) }
    }

    func fail() {
        state.withLock { $0.answer = .failure(AccessError(.keysUnavailable, detail: "down")) }
    }

    /// Lets fetches wait until ``release()``.
    func hold() { state.withLock { $0.isHeld = true } }

    func release() {
        let held = state.withLock { state in
            state.isHeld = false
            defer { state.held = [] }
            return state.held
        }
        for fetch in held { fetch.resume() }
    }

    func fetch() async throws -> KeySetDocument {
        state.withLock { $0.fetchCount += 1 }
        await withCheckedContinuation { continuation in
            let isHeld = state.withLock { state in
                if state.isHeld { state.held.append(continuation) }
                return state.isHeld
            }
            if !isHeld { continuation.resume() }
        }
        return try state.withLock { $0.answer }.get()
    }
}

/// When keys are fetched, and for how long they are used.
@Suite struct KeySetCacheTests {
    private func verifier(_ issuer: TestIssuer) async throws -> TokenVerifier {
        try await TokenVerifier(
            keys: .keySet(.url("https://id.example/"), algorithms: [.es256]), rules: TokenRules(),
            timing: .standard
        ) { _ in try await issuer.fetch() }
    }

    private static func jwks(_ key: ES256PrivateKey, kid: String) throws -> String {
        TestKeys.jwks(try TestKeys.jwk(key, ["kid": kid]))
    }

    private static func token(_ key: ES256PrivateKey, kid: String) async throws -> String {
        try await TestSigner.ecdsa(key).token(
            #"{"alg":"ES256","kid":"\#(kid)"}"#, TestClaims(["exp": "1767400000"]).text)
    }

    private static func at(_ seconds: Double) -> Date { TestClaims.now.addingTimeInterval(seconds) }

    @Test func freshKeysAreNotFetchedAgain() async throws {
        let issuer = TestIssuer(try Self.jwks(TestKeys.ecdsa, kid: "a"))
        let verifier = try await verifier(issuer)
        let token = try await Self.token(TestKeys.ecdsa, kid: "a")
        #expect(issuer.fetchCount == 0)
        for seconds in [0.0, 1, 599] {
            #expect(try await verifier.refusal(token, now: Self.at(seconds)) == nil)
        }
        #expect(issuer.fetchCount == 1)
        #expect(try await verifier.refusal(token, now: Self.at(600)) == nil)
        #expect(issuer.fetchCount == 2)
    }

    @Test(arguments: [(0.0, 60.0), (59, 60), (120, 120), (3600, 3600), (86_400, 3600)])
    func maxAgeCountsWithinBounds(_ stated: Double, _ expected: Double) async throws {
        let issuer = TestIssuer(try Self.jwks(TestKeys.ecdsa, kid: "a"), maxAgeSeconds: stated)
        let verifier = try await verifier(issuer)
        let token = try await Self.token(TestKeys.ecdsa, kid: "a")
        for seconds in [0, expected - 1] {
            _ = try await verifier.refusal(token, now: Self.at(seconds))
        }
        #expect(issuer.fetchCount == 1)
        _ = try await verifier.refusal(token, now: Self.at(expected))
        #expect(issuer.fetchCount == 2)
    }

    @Test func aNewKeyIsPickedUp() async throws {
        let issuer = TestIssuer(try Self.jwks(TestKeys.ecdsa, kid: "a"))
        let verifier = try await verifier(issuer)
        let old = try await Self.token(TestKeys.ecdsa, kid: "a")
        let new = try await Self.token(TestKeys.otherECDSA, kid: "b")
        #expect(try await verifier.refusal(old, now: Self.at(0)) == nil)
        issuer.answer(try Self.jwks(TestKeys.otherECDSA, kid: "b"))
        #expect(try await verifier.refusal(new, now: Self.at(31)) == nil)
        #expect(try await verifier.refusal(old, now: Self.at(32)) == .unknownKey)
        #expect(issuer.fetchCount == 2)
    }

    @Test func madeUpKeysDoNotMakeFetches() async throws {
        let issuer = TestIssuer(try Self.jwks(TestKeys.ecdsa, kid: "a"))
        let verifier = try await verifier(issuer)
        for seconds in 0..<90 {
            let token = try await Self.token(TestKeys.otherECDSA, kid: "k\(seconds)")
            let now = Self.at(Double(seconds))
            #expect(try await verifier.refusal(token, now: now) == .unknownKey)
        }
        #expect(issuer.fetchCount == 3, "at 0, 30 and 60 seconds")
    }

    @Test func oldKeysServeWhileTheIssuerIsDown() async throws {
        let issuer = TestIssuer(try Self.jwks(TestKeys.ecdsa, kid: "a"))
        let verifier = try await verifier(issuer)
        let token = try await Self.token(TestKeys.ecdsa, kid: "a")
        #expect(try await verifier.refusal(token, now: Self.at(0)) == nil)
        issuer.fail()
        #expect(try await verifier.refusal(token, now: Self.at(600)) == nil)
        #expect(try await verifier.refusal(token, now: Self.at(629)) == nil)
        #expect(issuer.fetchCount == 2, "a failed fetch isn't repeated at once")
        #expect(verifier.keySetStatus?.failure == "down")
        #expect(try await verifier.refusal(token, now: Self.at(4199)) == nil)
        #expect(try await verifier.refusal(token, now: Self.at(4200)) == .keysUnavailable)
        issuer.answer("garbage")
        #expect(try await verifier.refusal(token, now: Self.at(4240)) == .keysUnavailable)
        issuer.answer(try Self.jwks(TestKeys.ecdsa, kid: "a"))
        #expect(try await verifier.refusal(token, now: Self.at(4280)) == nil)
        #expect(verifier.keySetStatus?.failure == nil)
    }

    @Test func withoutKeysNothingStarts() async throws {
        let issuer = TestIssuer("")
        issuer.fail()
        let verifier = try await verifier(issuer)
        await #expect(throws: AccessError(.keysUnavailable, detail: "down")) {
            try await verifier.prepare(now: Self.at(0))
        }
        issuer.answer(try Self.jwks(TestKeys.ecdsa, kid: "a"))
        try await verifier.prepare(now: Self.at(1))
        #expect(verifier.keySetStatus?.keyCount == 1)
        #expect(issuer.fetchCount == 2)
    }

    @Test func aClockThatIsSetBackMakesKeysOld() async throws {
        let issuer = TestIssuer(try Self.jwks(TestKeys.ecdsa, kid: "a"))
        let verifier = try await verifier(issuer)
        let token = try await Self.token(TestKeys.ecdsa, kid: "a")
        #expect(try await verifier.refusal(token, now: Self.at(0)) == nil)
        #expect(try await verifier.refusal(token, now: Self.at(-5)) == nil)
        #expect(issuer.fetchCount == 1, "another task's clock, read a little before")
        #expect(try await verifier.refusal(token, now: Self.at(-86_400)) == nil)
        #expect(issuer.fetchCount == 2)
    }

    @Test func manyCallersMakeOneFetch() async throws {
        let issuer = TestIssuer(try Self.jwks(TestKeys.ecdsa, kid: "a"))
        issuer.hold()
        let verifier = try await verifier(issuer)
        let token = try await Self.token(TestKeys.ecdsa, kid: "a")
        let taken = try await withThrowingTaskGroup(of: Bool.self) { group in
            for number in 0..<100 {
                group.addTask {
                    try await verifier.refusal(token, now: Self.at(Double(number % 3) / 10)) == nil
                }
            }
            while issuer.fetchCount == 0 { await Task.yield() }
            for _ in 0..<1000 { await Task.yield() }
            issuer.release()
            return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(taken == 100)
        #expect(issuer.fetchCount == 1)
    }

    @Test func whoHasAKeyDoesNotWait() async throws {
        let issuer = TestIssuer(try Self.jwks(TestKeys.ecdsa, kid: "a"))
        let verifier = try await verifier(issuer)
        let known = try await Self.token(TestKeys.ecdsa, kid: "a")
        let unknown = try await Self.token(TestKeys.otherECDSA, kid: "b")
        #expect(try await verifier.refusal(known, now: Self.at(0)) == nil)
        issuer.hold()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                let refusal = try await verifier.refusal(unknown, now: Self.at(31))
                #expect(refusal == .unknownKey)
            }
            while issuer.fetchCount == 1 { await Task.yield() }
            #expect(try await verifier.refusal(known, now: Self.at(31)) == nil)
            #expect(try await verifier.refusal(known, now: Self.at(700)) == nil, "stale, but good")
            issuer.release()
            try await group.waitForAll()
        }
    }

    @Test func whoHangsUpStopsWaitingAndEndsNoFetch() async throws {
        let issuer = TestIssuer(try Self.jwks(TestKeys.ecdsa, kid: "a"))
        issuer.hold()
        let verifier = try await verifier(issuer)
        let token = try await Self.token(TestKeys.ecdsa, kid: "a")
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await verifier.prepare(now: Self.at(0)) }
            while issuer.fetchCount == 0 { await Task.yield() }
            await withTaskGroup(of: Bool.self) { waiting in
                waiting.addTask {
                    do {
                        _ = try await verifier.verify(token, now: Self.at(0))
                        return false
                    } catch {
                        return error is CancellationError
                    }
                }
                for _ in 0..<100 { await Task.yield() }
                waiting.cancelAll()
                #expect(await waiting.next() == true)
            }
            issuer.release()
            try await group.waitForAll()
        }
        #expect(try await verifier.refusal(token, now: Self.at(0)) == nil)
        #expect(issuer.fetchCount == 1)
    }
}
