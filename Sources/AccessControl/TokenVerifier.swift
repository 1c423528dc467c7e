public import FoundationEssentials

/// What tokens are verified with: one kind of key, so that no token chooses.
public enum TokenKeys: Sendable {
    /// HS256 by a secret. A token's `kid` is not looked at: there is one key.
    case secret(SharedSecret)
    /// RS256, ES256 or both, by the public keys of an issuer.
    case keySet(KeySetSource, algorithms: Set<SigningAlgorithm>)
}

/// Tells who is calling from a JSON Web Token (RFC 7519) in a compact JWS.
///
/// The algorithm is configured, never the token's choice. Everything ambiguous is refused: other
/// spellings of base64, names that occur twice, unknown critical headers, several keys that fit.
/// It may be used by any number of tasks at once.
public struct TokenVerifier: Sendable {
    private enum Keys {
        case secret(VerificationKey)
        case file(KeySetFile)
        case cache(KeySetCache)
    }

    /// What tokens must say.
    public let rules: TokenRules
    private let algorithms: Set<SigningAlgorithm>
    private let keys: Keys

    /// A verifier; nothing is loaded before ``prepare(now:)`` or the first token.
    ///
    /// - Throws: ``AccessError`` with the code `configuration` when the algorithms are not RS256,
    ///   ES256 or both.
    public init(
        keys: TokenKeys, rules: TokenRules, timing: KeySetTiming = .standard
    ) async throws {
        try await self.init(keys: keys, rules: rules, timing: timing) { url in
            try await KeySetDownload.fetch(url, timeoutSeconds: timing.downloadSeconds)
        }
    }

    /// A verifier that fetches in another way.
    init(
        keys: TokenKeys, rules: TokenRules, timing: KeySetTiming,
        fetch: @escaping @Sendable (String) async throws -> KeySetDocument
    ) async throws {
        self.rules = rules
        switch keys {
        case .secret(let secret):
            algorithms = [.hs256]
            self.keys = .secret(try await VerificationKey(secret))
        case .keySet(let source, let algorithms):
            guard !algorithms.isEmpty, !algorithms.contains(.hs256) else {
                throw AccessError(
                    configuration: "a JWKS is for RS256, ES256 or both; HS256 needs a secret")
            }
            self.algorithms = algorithms
            switch source {
            case .file(let path):
                self.keys = .file(
                    KeySetFile(
                        path: path, algorithms: algorithms, staleSeconds: timing.staleSeconds))
            case .url(let url):
                self.keys = .cache(
                    KeySetCache(algorithms: algorithms, timing: timing) { try await fetch(url) })
            }
        }
    }

    /// Loads the keys now, so that a service can refuse to start without any.
    ///
    /// - Throws: ``AccessError`` with the reason `keysUnavailable` and why as detail.
    public func prepare(now: Date) async throws {
        switch keys {
        case .secret: return
        case .file(let file): _ = try await file.keys(now: now)
        case .cache(let cache): try await cache.prepare(now: now)
        }
    }

    /// What became of loading keys; nil with a secret, which is always there.
    public var keySetStatus: KeySetStatus? {
        switch keys {
        case .secret: nil
        case .file(let file): file.status
        case .cache(let cache): cache.status
        }
    }

    /// Who is calling. It waits only where keys have to be fetched.
    ///
    /// - Parameters:
    ///   - token: what stands behind `Bearer`, as it came.
    ///   - now: the time of day, also for the age of keys.
    /// - Throws: ``AccessError`` with the code `invalid` or `expired`; `CancellationError`.
    public func verify(_ token: String, now: Date) async throws -> Caller {
        let signed = try SignedToken(token)
        guard let algorithm = SigningAlgorithm(rawValue: signed.algorithm),
            algorithms.contains(algorithm)
        else { throw AccessError(.algorithm) }
        let key = try await key(keyID: signed.keyID, algorithm: algorithm, now: now)
        guard key.hasSigned(signed.signedBytes, signature: signed.signature) else {
            throw AccessError(.signature)
        }
        return try rules.caller(signed.claims, now: now)
    }

    private func key(
        keyID: String?, algorithm: SigningAlgorithm, now: Date
    ) async throws -> VerificationKey {
        switch keys {
        case .secret(let key): return key
        case .cache(let cache):
            return try await cache.key(keyID: keyID, algorithm: algorithm, now: now)
        case .file(let file):
            switch try await file.keys(now: now).match(keyID: keyID, algorithm: algorithm) {
            case .key(let key): return key
            case .unknown: throw AccessError(.unknownKey)
            case .ambiguous: throw AccessError(.ambiguousKey)
            }
        }
    }
}
