/// Why a token was refused, or why Cairn cannot work with what it was configured with.
///
/// A client is told ``code`` and nothing else. ``reason`` and ``detail`` are for logs; neither
/// holds bytes of a token or a key.
public struct AccessError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What a client may know; new ones may be added.
    public struct Code: RawRepresentable, Hashable, Sendable {
        /// The name as clients see it.
        public let rawValue: String

        /// A code of that name.
        public init(rawValue: String) {
            self.rawValue = rawValue
        }

        /// The token was good once, and is no more: get a new one.
        public static let expired = Code(rawValue: "expired")
        /// The token is not good.
        public static let invalid = Code(rawValue: "invalid")
        /// No token's fault: a key, a rule or a matrix cannot be used. Never thrown by `verify`.
        public static let configuration = Code(rawValue: "configuration")
    }

    /// What exactly was wrong, from a closed list, so that nothing of the token can get into it.
    public enum Reason: String, CaseIterable, Sendable {
        /// More than 8 KiB.
        case tooLong = "too_long"
        /// Not three parts with dots between.
        case notThreeParts = "not_three_parts"
        /// A part is not base64url without padding, in its one canonical spelling.
        case encoding
        /// Header or payload is not a JSON object in UTF-8, or names a member twice.
        case json
        /// `alg` is missing or none that is configured.
        case algorithm
        /// `typ` says that it is another kind of token.
        case type
        /// `crit` or `b64` asks for what is not understood.
        case critical
        /// `kid` is no text of sensible length.
        case keyID = "key_id"
        /// There is no key of that `kid`, or none for that `alg`.
        case unknownKey = "unknown_key"
        /// No `kid`, and several keys that could be meant.
        case ambiguousKey = "ambiguous_key"
        /// No keys: they could not be loaded, or are too old. The server's fault, not the token's.
        case keysUnavailable = "keys_unavailable"
        /// The signature is not of that key and these bytes.
        case signature
        /// `iss` is not the one configured.
        case issuer
        /// `aud` does not hold the one configured.
        case audience
        /// `sub` is missing, empty, too long or has control characters.
        case subject
        /// `role` is missing or unknown.
        case role
        /// `jti` is no text of sensible length.
        case tokenID = "token_id"
        /// `exp`, `nbf` or `iat` is no plausible time, or `exp` is missing.
        case time
        /// `exp` has passed.
        case expired
        /// `nbf` has not come.
        case notYetValid = "not_yet_valid"
        /// `iat` has not come.
        case issuedInFuture = "issued_in_future"
        /// See ``AccessError/detail``.
        case configuration
    }

    /// What a client may know.
    public let code: Code
    /// What logs should say.
    public let reason: Reason
    /// More for logs: what is wrong with the configuration, or with the source of keys.
    public let detail: String?

    /// A refused token; the code follows from the reason.
    public init(_ reason: Reason, detail: String? = nil) {
        code = reason == .expired ? .expired : .invalid
        self.reason = reason
        self.detail = detail
    }

    /// Something that has to be configured otherwise.
    public init(configuration detail: String) {
        code = .configuration
        reason = .configuration
        self.detail = detail
    }

    /// For logs and for the operator.
    public var description: String {
        guard code != .configuration else { return detail ?? reason.rawValue }
        return "token refused: \(reason.rawValue)\(detail.map { " (\($0))" } ?? "")"
    }
}
