/// How many requests a key may make: `capacity` at once, and as many again in `windowSeconds`.
public struct RateLimitPolicy: Hashable, Sendable {
    /// What the limit is called in header fields, as `subject`.
    public let name: String
    /// Requests that a key which made none for long may make at once.
    public let capacity: Int
    /// In how many seconds an empty bucket is full again.
    public let windowSeconds: Int

    /// A policy.
    ///
    /// - Precondition: the name is of ASCII letters, digits, `-` and `_`; capacity and window are
    ///   within 1 to 1,000,000,000.
    public init(name: String, capacity: Int, windowSeconds: Int) {
        let isPlain = name.utf8.allSatisfy { byte in
            let character = Character(Unicode.Scalar(byte))
            return character.isASCII
                && (character.isLetter || character.isNumber || character == "-"
                    || character == "_")
        }
        precondition(isPlain && !name.isEmpty, "the name goes into a header field")
        precondition((1...1_000_000_000).contains(capacity), "capacity")
        precondition((1...1_000_000_000).contains(windowSeconds), "window")
        self.name = name
        self.capacity = capacity
        self.windowSeconds = windowSeconds
    }

    /// Requests a second that can go on forever.
    public var refillPerSecond: Double { Double(capacity) / Double(windowSeconds) }
}

/// Whether a request may go on, and what its client should know.
public struct RateDecision: Hashable, Sendable {
    /// Whether it may; if so, it has been counted.
    public let isAllowed: Bool
    /// The policy's capacity.
    public let limit: Int
    /// Requests that may follow at once.
    public let remaining: Int
    /// Seconds, rounded up, until all of the limit is there again.
    public let resetSeconds: Int
    /// Seconds, rounded up, until the next request is allowed; nil when this one was.
    public let retryAfterSeconds: Int?

    /// The header fields of a response: `RateLimit-Policy` and `RateLimit` as in
    /// draft-ietf-httpapi-ratelimit-headers, and `Retry-After` (RFC 9110) when it was refused.
    public func headerFields(_ policy: RateLimitPolicy) -> [(name: String, value: String)] {
        let (quota, window) = (policy.capacity, policy.windowSeconds)
        var fields = [
            (name: "RateLimit-Policy", value: "\"\(policy.name)\";q=\(quota);w=\(window)"),
            (name: "RateLimit", value: "\"\(policy.name)\";r=\(remaining);t=\(resetSeconds)"),
        ]
        if let retryAfterSeconds {
            fields.append((name: "Retry-After", value: "\(retryAfterSeconds)"))
        }
        return fields
    }
}
