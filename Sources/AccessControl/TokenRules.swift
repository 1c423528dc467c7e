internal import FoundationEssentials

/// What the claims of a token must say, besides what they always must: `exp`, `sub` and `role`.
public struct TokenRules: Hashable, Sendable {
    /// What `iss` must be, or nil when it is not looked at.
    public let issuer: String?
    /// What `aud` must be or hold, or nil when it is not looked at.
    public let audience: String?
    /// How far the issuer's clock and ours may be apart, in seconds, 0 to 60: a token is taken so
    /// long after its `exp`, and so long before its `nbf` and `iat`.
    public let leewaySeconds: Int

    /// Rules for tokens.
    ///
    /// - Throws: ``AccessError`` with the code `configuration` when a text is empty or the leeway
    /// is   out of its range.
    public init(
        issuer: String? = nil, audience: String? = nil,
        leewaySeconds: Int = 60
    ) throws(AccessError) {
        guard issuer?.isEmpty != true, audience?.isEmpty != true else {
            throw AccessError(
                configuration: "issuer or audience of tokens is empty (leave it out instead)")
        }
        guard (0...TokenLimits.leewaySecondsMax).contains(leewaySeconds) else {
            throw AccessError(
                configuration: "leeway for tokens' times is not within 0 to 60 seconds")
        }
        self.issuer = issuer
        self.audience = audience
        self.leewaySeconds = leewaySeconds
    }

    /// Whom the claims of a token name whose signature was checked. That it has expired is found
    /// last: only a token that was good once is called expired.
    ///
    /// - Throws: ``AccessError`` with the code `invalid` or `expired`.
    func caller(_ claims: [String: JSONValue], now: Date) throws(AccessError) -> Caller {
        try checkIssuer(claims["iss"])
        try checkAudience(claims["aud"])
        guard let subject = claims["sub"]?.string, subject.isPlausibleName else {
            throw AccessError(.subject)
        }
        guard let role = claims["role"]?.string.flatMap(Role.init(rawValue:)) else {
            throw AccessError(.role)
        }
        let tokenID = claims["jti"]?.string
        guard claims["jti"] == nil || tokenID?.isPlausibleName == true else {
            throw AccessError(.tokenID)
        }
        let expiresAt = try checkTimes(claims, now: now)
        return Caller(subject: subject, role: role, expiresAt: expiresAt, tokenID: tokenID)
    }

    private func checkIssuer(_ claim: JSONValue?) throws(AccessError) {
        guard let issuer else { return }
        guard claim?.string?.hasSameBytes(as: issuer) == true else { throw AccessError(.issuer) }
    }

    private func checkAudience(_ claim: JSONValue?) throws(AccessError) {
        guard let audience else { return }
        let named = claim?.array ?? claim.map { [$0] } ?? []
        let texts = named.compactMap(\.string)
        guard named.count <= TokenLimits.audienceCountMax, texts.count == named.count,
            texts.contains(where: { $0.hasSameBytes(as: audience) })
        else { throw AccessError(.audience) }
    }

    private func checkTimes(
        _ claims: [String: JSONValue], now: Date
    ) throws(AccessError) -> Date {
        guard let expiry = try seconds(claims["exp"]) else { throw AccessError(.time) }
        let notBefore = try seconds(claims["nbf"])
        let issued = try seconds(claims["iat"])
        let latest = now.timeIntervalSince1970 + Double(leewaySeconds)
        if let notBefore, notBefore > latest { throw AccessError(.notYetValid) }
        if let issued, issued > latest { throw AccessError(.issuedInFuture) }
        guard expiry + Double(leewaySeconds) > now.timeIntervalSince1970 else {
            throw AccessError(.expired)
        }
        return Date(timeIntervalSince1970: expiry)
    }

    /// A time as RFC 7519 has it: seconds since 1970, fractions allowed, up to the year 9999.
    private func seconds(_ claim: JSONValue?) throws(AccessError) -> Double? {
        guard let claim else { return nil }
        guard let seconds = claim.number, (0...TokenLimits.secondsMax).contains(seconds) else {
            throw AccessError(.time)
        }
        return seconds
    }
}
