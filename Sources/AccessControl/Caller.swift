public import FoundationEssentials

/// Who a verified token says is calling.
public struct Caller: Hashable, Sendable {
    /// The claim `sub`: 1 to 256 bytes without control characters.
    public let subject: String
    /// The claim `role`.
    public let role: Role
    /// The claim `exp`; a stream that outlives it should end.
    public let expiresAt: Date
    /// The claim `jti`, or nil when the token has none.
    public let tokenID: String?

    /// A caller with these claims, which nothing checks here.
    public init(subject: String, role: Role, expiresAt: Date, tokenID: String? = nil) {
        self.subject = subject
        self.role = role
        self.expiresAt = expiresAt
        self.tokenID = tokenID
    }
}
