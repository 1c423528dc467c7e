import Testing

@testable import AccessControl

@Suite struct TokenBucketsTests {
    private static let start = ContinuousClock.now
    private static let policy = RateLimitPolicy(name: "subject", capacity: 10, windowSeconds: 5)

    private static func at(_ seconds: Double) -> ContinuousClock.Instant {
        start.advanced(by: .seconds(seconds))
    }

    private func subject(_ number: Int) -> RateLimitKey { .subject("s\(number)") }

    @Test func aFullBucketAllowsItsCapacityAtOnce() {
        let buckets = TokenBuckets(Self.policy)
        for taken in 1...10 {
            let decision = buckets.take(subject(0), now: Self.at(0))
            let expected = RateDecision(
                isAllowed: true, limit: 10, remaining: 10 - taken, resetSeconds: (taken + 1) / 2,
                retryAfterSeconds: nil)
            #expect(decision == expected)
        }
        let refused = RateDecision(
            isAllowed: false, limit: 10, remaining: 0, resetSeconds: 5, retryAfterSeconds: 1)
        #expect(buckets.take(subject(0), now: Self.at(0)) == refused)
        #expect(buckets.take(subject(1), now: Self.at(0)).isAllowed, "others have their own")
    }

    @Test func itFillsSteadily() {
        let buckets = TokenBuckets(Self.policy)
        for _ in 0..<10 { _ = buckets.take(subject(0), now: Self.at(0)) }
        #expect(!buckets.take(subject(0), now: Self.at(0.49)).isAllowed)
        #expect(buckets.take(subject(0), now: Self.at(0.5)).isAllowed)
        #expect(!buckets.take(subject(0), now: Self.at(0.5)).isAllowed)
        #expect(buckets.take(subject(0), now: Self.at(3)).remaining == 4)
        #expect(buckets.take(subject(0), now: Self.at(1_000_000)).remaining == 9, "never fuller")
    }

    /// Who keeps trying is not punished beyond the policy.
    @Test func refusedRequestsTakeNothing() {
        let buckets = TokenBuckets(Self.policy)
        var allowed = 0
        for step in 0..<10_000 {
            let decision = buckets.take(subject(0), now: Self.at(Double(step) / 100))
            allowed += decision.isAllowed ? 1 : 0
        }
        #expect(allowed == 10 + 199, "ten at once, two a second for 99.99 seconds")
    }

    @Test func waitingAsToldIsEnough() {
        let buckets = TokenBuckets(RateLimitPolicy(name: "slow", capacity: 3, windowSeconds: 100))
        var seconds = 0
        for _ in 0..<50 {
            let decision = buckets.take(subject(0), now: Self.at(Double(seconds)))
            guard let wait = decision.retryAfterSeconds else { continue }
            seconds += wait
            #expect(buckets.take(subject(0), now: Self.at(Double(seconds))).isAllowed)
        }
        #expect(seconds > 500)
    }

    @Test func lookingTakesNothing() {
        let policy = RateLimitPolicy(name: "failures", capacity: 2, windowSeconds: 60)
        let buckets = TokenBuckets(policy)
        let address = RateLimitKey.address("192.0.2.1")
        for _ in 0..<5 { #expect(!buckets.isExhausted(address, now: Self.at(0))) }
        #expect(buckets.keyCount == 0)
        for _ in 0..<2 { _ = buckets.take(address, now: Self.at(0)) }
        #expect(buckets.peek(address, now: Self.at(1)).retryAfterSeconds == 29)
        #expect(buckets.isExhausted(address, now: Self.at(29.9)))
        #expect(!buckets.isExhausted(address, now: Self.at(30)))
    }

    @Test func timesThatComeLateAreTheLatest() {
        let buckets = TokenBuckets(Self.policy)
        for _ in 0..<10 { _ = buckets.take(subject(0), now: Self.at(10)) }
        #expect(!buckets.take(subject(0), now: Self.at(0)).isAllowed)
        #expect(buckets.take(subject(0), now: Self.at(0)).retryAfterSeconds == 1)
        #expect(buckets.take(subject(0), now: Self.at(10.5)).isAllowed)
    }

    @Test func keysAreBounded() {
        let buckets = TokenBuckets(Self.policy, keyCountMax: 100)
        for number in 0..<10_000 {
            _ = buckets.take(subject(number), now: Self.at(Double(number) / 1000))
            #expect(buckets.keyCount <= 100)
        }
        #expect(buckets.keyCount == 100)
    }

    @Test func fullBucketsGoFirst() {
        let buckets = TokenBuckets(Self.policy, keyCountMax: 3)
        for _ in 0..<10 { _ = buckets.take(subject(0), now: Self.at(0)) }
        _ = buckets.take(subject(1), now: Self.at(1))
        _ = buckets.take(subject(2), now: Self.at(1.9))
        // Of the three only 1 is full at 2 s, though 0 was used before it.
        _ = buckets.take(subject(3), now: Self.at(2))
        #expect(buckets.peek(subject(0), now: Self.at(2)).remaining == 4)
        #expect(buckets.peek(subject(2), now: Self.at(2)).remaining == 9)
        #expect(buckets.peek(subject(3), now: Self.at(2)).remaining == 9)
    }

    @Test func ofEquallyUsedOnesTheLeastRecentlyUsedGoes() {
        let buckets = TokenBuckets(Self.policy, keyCountMax: 3)
        for number in 0..<3 {
            for _ in 0..<5 { _ = buckets.take(subject(number), now: Self.at(Double(number) / 10)) }
        }
        _ = buckets.take(subject(3), now: Self.at(0.3))
        #expect(buckets.peek(subject(0), now: Self.at(0.3)).remaining == 10)
        #expect(buckets.peek(subject(1), now: Self.at(0.3)).remaining == 5)
        #expect(buckets.peek(subject(2), now: Self.at(0.3)).remaining == 5)
    }

    /// Otherwise a limit on failures could be washed away from many addresses.
    @Test func anEmptyBucketOutlivesMadeUpKeys() {
        let buckets = TokenBuckets(Self.policy, keyCountMax: 100)
        for _ in 0..<10 { _ = buckets.take(.subject("victim"), now: Self.at(0)) }
        for number in 0..<5000 { _ = buckets.take(subject(number), now: Self.at(0.1)) }
        #expect(buckets.isExhausted(.subject("victim"), now: Self.at(0.1)))
    }

    /// Against the simplest thing that could work, with random steps.
    @Test(arguments: [1, 2, 3]) func itAgreesWithAModel(_ seed: UInt64) {
        var random = SplitMix(state: seed)
        let buckets = TokenBuckets(Self.policy, keyCountMax: 1000)
        var tokens: [Int: Double] = [:]
        var time = 0.0
        for _ in 0..<20_000 {
            // A quarter, so that the model's sums are exact.
            let step = Double(random.next() % 2) / 4
            time += step
            for key in tokens.keys { tokens[key] = min(tokens[key, default: 10] + step * 2, 10) }
            let key = Int(random.next() % 8)
            let isAllowed = tokens[key, default: 10] >= 1
            #expect(buckets.take(subject(key), now: Self.at(time)).isAllowed == isAllowed)
            if isAllowed { tokens[key] = tokens[key, default: 10] - 1 }
        }
    }

    @Test func tasksTakeNoMoreThanThereIs() async {
        let buckets = TokenBuckets(RateLimitPolicy(name: "x", capacity: 500, windowSeconds: 60))
        let allowed = await withTaskGroup(of: Int.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    (0..<200).count { _ in
                        buckets.take(.subject("a"), now: Self.at(0)).isAllowed
                    }
                }
            }
            return await group.reduce(0, +)
        }
        #expect(allowed == 500)
    }

    @Test func headerFieldsFollowTheDraft() {
        let policy = RateLimitPolicy(name: "subject", capacity: 600, windowSeconds: 60)
        let buckets = TokenBuckets(policy)
        let first = buckets.take(subject(0), now: Self.at(0)).headerFields(policy)
        #expect(first.map(\.name) == ["RateLimit-Policy", "RateLimit"])
        #expect(first.map(\.value) == [#""subject";q=600;w=60"#, #""subject";r=599;t=1"#])
        for _ in 1..<600 { _ = buckets.take(subject(0), now: Self.at(0)) }
        let refused = buckets.take(subject(0), now: Self.at(0)).headerFields(policy)
        #expect(refused.map(\.name) == ["RateLimit-Policy", "RateLimit", "Retry-After"])
        #expect(refused.map(\.value) == [#""subject";q=600;w=60"#, #""subject";r=0;t=60"#, "1"])
    }

    @Test func addressesAreCountedByWhoHasThem() {
        let same = [
            ("192.0.2.1", "::ffff:192.0.2.1"), ("2001:db8:1:2::1", "2001:DB8:1:2:ffff::9"),
            ("2001:db8::1", "[2001:db8::2]"), ("fe80::1%eth0", "fe80::2%eth1"),
        ]
        for (left, right) in same { #expect(RateLimitKey.address(left) == .address(right)) }
        let different = [
            ("192.0.2.1", "192.0.2.2"), ("2001:db8:1:2::1", "2001:db8:1:3::1"), ("a", "b"),
            ("::1", "0.0.0.1"), ("::ffff:192.0.2.1", "::ffff:192.0.2.2"),
        ]
        for (left, right) in different { #expect(RateLimitKey.address(left) != .address(right)) }
        #expect(RateLimitKey.address("192.0.2.1") != .subject("192.0.2.1"))
        let long = String(repeating: "x", count: 64)
        #expect(RateLimitKey.address(long + "a") == .address(long + "b"))
    }
}

/// A generator with a seed.
private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
