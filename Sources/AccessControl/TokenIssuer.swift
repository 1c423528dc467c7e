public import FoundationEssentials
internal import JWTKit

/// What a new token says.
public struct TokenGrant: Hashable, Sendable {
    /// Whom the token is for.
    public let subject: String
    /// What they may be.
    public let role: Role
    /// For how long, in seconds.
    public let lifetimeSeconds: Int
    /// A name of this one token for the audit log (`jti`), or nil.
    public let tokenID: String?

    /// A grant; whether it can be made is checked when it is issued.
    public init(subject: String, role: Role, lifetimeSeconds: Int, tokenID: String? = nil) {
        self.subject = subject
        self.role = role
        self.lifetimeSeconds = lifetimeSeconds
        self.tokenID = tokenID
    }
}

/// Makes tokens for HS256, for the command line and tests. With other keys somebody else does.
public struct TokenIssuer: Sendable {
    /// The longest that a token may be good: 366 days, in seconds.
    public static let lifetimeSecondsMax = 366 * 24 * 60 * 60

    private let keys: JWTKeyCollection
    private let rules: TokenRules

    /// An issuer whose tokens a verifier with the same secret and rules takes.
    public init(secret: SharedSecret, rules: TokenRules) async {
        keys = await JWTKeyCollection()
            .add(hmac: HMACKey(from: secret.bytes), digestAlgorithm: .sha256)
        self.rules = rules
    }

    /// The text of a new token.
    ///
    /// - Throws: ``AccessError`` with the code `configuration` when the subject, the lifetime or
    /// the   token's name is not one that a verifier would take.
    public func issue(_ grant: TokenGrant, now: Date) async throws -> String {
        guard grant.subject.isPlausibleName else {
            throw AccessError(
                configuration: "the subject is not 1 to 256 bytes without control characters")
        }
        guard grant.tokenID?.isPlausibleName != false else {
            throw AccessError(
                configuration: "the token's name is not 1 to 256 bytes without control characters")
        }
        guard (1...Self.lifetimeSecondsMax).contains(grant.lifetimeSeconds) else {
            throw AccessError(configuration: "a token is good for one second to 366 days")
        }
        let seconds = Int64(now.timeIntervalSince1970.rounded(.down))
        return try await keys.sign(
            IssuedClaims(
                sub: grant.subject, role: grant.role.rawValue, iat: seconds,
                exp: seconds + Int64(grant.lifetimeSeconds), iss: rules.issuer,
                aud: rules.audience, jti: grant.tokenID))
    }
}

/// The claims as they are written.
private struct IssuedClaims: JWTPayload {
    let sub: String
    let role: String
    let iat: Int64
    let exp: Int64
    let iss: String?
    let aud: String?
    let jti: String?

    /// Claims are only checked by ``TokenRules``.
    func verify(using algorithm: some JWTAlgorithm) {}
}
