/// How tokens are signed. Which ones are accepted is configured, never taken from the token.
public enum SigningAlgorithm: String, CaseIterable, Hashable, Sendable {
    /// HMAC with SHA-256: issuer and verifier share a secret.
    case hs256 = "HS256"
    /// RSASSA-PKCS1-v1_5 with SHA-256, by keys of 2048 to 8192 bits.
    case rs256 = "RS256"
    /// ECDSA on P-256 with SHA-256.
    case es256 = "ES256"
}
