/// The keys of a JWKS (RFC 7517) that can be used. Members for other purposes are read over, and
/// unfit ones (RSA below 2048 bits, private keys) are left out; without any usable key, or with two
/// that cannot be told apart, there is no set.
struct KeySet: Sendable {
    /// A JWKS as file or response.
    static let byteCountMax = 1024 * 1024
    /// Members of one.
    static let keyCountMax = 100

    private let keys: [VerificationKey]

    /// Reads a JWKS.
    ///
    /// - Throws: ``AccessError`` with the reason `keysUnavailable` and what is wrong as detail.
    init(jwks bytes: [UInt8], algorithms: Set<SigningAlgorithm>) async throws {
        guard !bytes.isEmpty else { throw Self.unusable("is empty") }
        guard bytes.count <= Self.byteCountMax else { throw Self.unusable("is larger than 1 MiB") }
        let members = try Self.members(bytes)
        var keys: [VerificationKey] = []
        var firstUnfit: AccessError?
        for member in members {
            do {
                guard let key = try await VerificationKey(member) else { continue }
                if algorithms.contains(key.algorithm) { keys.append(key) }
            } catch let error as AccessError {
                firstUnfit = firstUnfit ?? error
            }
        }
        guard !keys.isEmpty else {
            throw firstUnfit ?? Self.unusable("has no key for the configured algorithms")
        }
        let names = keys.compactMap { key in key.keyID.map { "\(key.algorithm.rawValue) \($0)" } }
        guard Set(names).count == names.count else { throw Self.unusable("has a kid twice") }
        self.keys = keys
    }

    /// How many there are, at least one.
    var count: Int { keys.count }

    /// What a token's header finds.
    enum Match {
        case key(VerificationKey)
        case unknown
        /// No `kid`, and several keys for the algorithm.
        case ambiguous
    }

    /// The key with that `kid` and algorithm; without a `kid` the only one for the algorithm.
    func match(keyID: String?, algorithm: SigningAlgorithm) -> Match {
        let candidates = keys.filter { $0.algorithm == algorithm }
        guard let keyID else {
            guard let first = candidates.first else { return .unknown }
            return candidates.count == 1 ? .key(first) : .ambiguous
        }
        let named = candidates.first { $0.keyID?.hasSameBytes(as: keyID) == true }
        return named.map { .key($0) } ?? .unknown
    }

    private static func members(_ bytes: [UInt8]) throws -> [[String: JSONValue]] {
        let value: JSONValue
        do {
            value = try JSONValue.decode(bytes)
        } catch {
            throw unusable("is no JSON")
        }
        guard let list = value.object?["keys"]?.array else { throw unusable("has no list of keys") }
        guard list.count <= keyCountMax else { throw unusable("has more than 100 keys") }
        return try list.map { element in
            guard let object = element.object else { throw unusable("has a key that is no object") }
            return object
        }
    }

    private static func unusable(_ detail: String) -> AccessError {
        AccessError(.keysUnavailable, detail: "the JWKS \(detail)")
    }
}
