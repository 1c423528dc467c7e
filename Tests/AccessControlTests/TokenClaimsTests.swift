import AccessControl
import Foundation
import Testing

@Suite struct TokenClaimsTests {
    private static let header = #"{"alg":"HS256"}"#
    private static let now = Int(TestClaims.now.timeIntervalSince1970)

    /// Why good claims with some changes are refused.
    private func refusal(
        _ changes: [String: String?], _ rules: TokenRules? = nil
    ) async throws -> AccessError.Reason? {
        let token = try await TestSigner.secret().token(Self.header, TestClaims(changes).text)
        return try await TokenVerifier.ofSecret(rules).refusal(token)
    }

    // MARK: Times

    @Test func aTokenExpiresAfterItsLeeway() async throws {
        #expect(try await refusal(["exp": "\(Self.now - 59)"]) == nil)
        #expect(try await refusal(["exp": "\(Self.now - 60)"]) == .expired)
        #expect(try await refusal(["exp": "0"]) == .expired)
        let strict = try TokenRules(leewaySeconds: 0)
        #expect(try await refusal(["exp": "\(Self.now + 1)"], strict) == nil)
        #expect(try await refusal(["exp": "\(Self.now)"], strict) == .expired)
    }

    @Test func onlyATokenThatWasGoodOnceIsCalledExpired() async throws {
        let past = "\(Self.now - 1000)"
        #expect(try await refusal(["exp": past, "role": "\"root\""]) == .role)
        #expect(try await refusal(["exp": past, "sub": nil]) == .subject)
        let other = try await TestSigner.secret("another secret that is long enough, too")
        let token = try other.token(Self.header, TestClaims(["exp": past]).text)
        #expect(try await TokenVerifier.ofSecret().refusal(token) == .signature)
    }

    @Test(arguments: [
        nil, "null", "\"1767229200\"", "-1", "253402300800", "1e300", "true", "[1767229200]", "{}",
    ])
    func anImplausibleExpiryIsRefused(_ json: String?) async throws {
        #expect(try await refusal(["exp": json]) == .time)
    }

    @Test(arguments: ["1e999", "1767229200.", "01767229200", "0x7fffffff", "NaN", "+1767229200"])
    func numbersThatJSONDoesNotHaveAreRefused(_ json: String) async throws {
        #expect(try await refusal(["exp": json]) == .json)
    }

    @Test func timesMayHaveFractions() async throws {
        #expect(try await refusal(["exp": "\(Self.now).5"]) == nil)
        #expect(try await refusal(["exp": "1.7672292E9"]) == nil)
        let strict = try TokenRules(leewaySeconds: 0)
        #expect(try await refusal(["exp": "\(Self.now).25"], strict) == nil)
    }

    @Test func aTokenBeginsBeforeItsLeeway() async throws {
        #expect(try await refusal(["nbf": "\(Self.now + 60)"]) == nil)
        #expect(try await refusal(["nbf": "\(Self.now + 61)"]) == .notYetValid)
        #expect(try await refusal(["nbf": "\"soon\""]) == .time)
        #expect(try await refusal(["iat": "\(Self.now + 60)"]) == nil)
        #expect(try await refusal(["iat": "\(Self.now + 61)"]) == .issuedInFuture)
        #expect(try await refusal(["iat": "-5"]) == .time)
    }

    @Test(arguments: [-1, 61, 3600])
    func moreLeewayThanAMinuteIsNoRule(_ seconds: Int) {
        #expect(throws: AccessError.self) { try TokenRules(leewaySeconds: seconds) }
    }

    // MARK: Who and for whom

    @Test(arguments: [
        nil, "\"\"", "\" \"", "null", "1", "[\"anna\"]", "\"a\\u0000b\"", "\"a\\nb\"",
        "\"\\u007f\"", "\"\\u0085\"", "\"a\\u2028b\"", "\"\\u202eanna\"", "\"\\u200b\"",
    ])
    func aSubjectThatNamesNobodyIsRefused(_ json: String?) async throws {
        #expect(try await refusal(["sub": json]) == .subject)
    }

    @Test func aSubjectHasAtMost256Bytes() async throws {
        #expect(try await refusal(["sub": "\"\(String(repeating: "é", count: 128))\""]) == nil)
        #expect(
            try await refusal(["sub": "\"\(String(repeating: "é", count: 128))x\""]) == .subject)
    }

    @Test(arguments: [
        nil, "\"\"", "\"root\"", "\"Admin\"", "\"admin \"", "[\"admin\"]", "null", "1",
        "\"superadmin\"",
    ])
    func anUnknownRoleIsRefused(_ json: String?) async throws {
        #expect(try await refusal(["role": json]) == .role)
    }

    @Test(arguments: Role.allCases)
    func everyRoleIsKnown(_ role: Role) async throws {
        let payload = TestClaims(["role": "\"\(role.rawValue)\""]).text
        let token = try await TestSigner.secret().token(Self.header, payload)
        let caller = try await TokenVerifier.ofSecret().verify(token, now: TestClaims.now)
        #expect(caller.role == role)
    }

    @Test func theIssuerMustBeTheConfiguredOne() async throws {
        let rules = try TokenRules(issuer: "https://id.example/é")
        #expect(try await refusal(["iss": "\"https://id.example/é\""], rules) == nil)
        for json in [nil, "null", "\"\"", "\"https://id.example/\"", "[\"https://id.example/é\"]"] {
            #expect(try await refusal(["iss": json], rules) == .issuer)
        }
        // The same letter in another spelling.
        #expect(try await refusal(["iss": #""https://id.example/e\u0301""#], rules) == .issuer)
        #expect(try await refusal(["iss": "\"anybody\""]) == nil)
    }

    @Test func theAudienceMustHoldTheConfiguredOne() async throws {
        let rules = try TokenRules(audience: "cairn")
        for json in ["\"cairn\"", "[\"cairn\"]", "[\"other\",\"cairn\"]"] {
            #expect(try await refusal(["aud": json], rules) == nil)
        }
        let many = Array(repeating: "\"cairn\"", count: 33).joined(separator: ",")
        for json in [
            nil, "null", "\"\"", "\"other\"", "[]", "[\"other\"]", "\"cairn2\"", "[\"cairn\",1]",
            "{\"cairn\":1}", "[[\"cairn\"]]", "[\(many)]",
        ] {
            #expect(try await refusal(["aud": json], rules) == .audience)
        }
        #expect(try await refusal(["aud": "\"anybody\""]) == nil)
    }

    @Test func emptyTextsAreNoRules() {
        #expect(throws: AccessError.self) { try TokenRules(issuer: "") }
        #expect(throws: AccessError.self) { try TokenRules(audience: "") }
    }

    @Test func aTokensNameIsKept() async throws {
        let payload = TestClaims(["jti": "\"t-1\""]).text
        let token = try await TestSigner.secret().token(Self.header, payload)
        let caller = try await TokenVerifier.ofSecret().verify(token, now: TestClaims.now)
        #expect(caller.tokenID == "t-1")
        for json in ["1", "\"\"", "\"a\\u0007\""] {
            #expect(try await refusal(["jti": json]) == .tokenID)
        }
    }
}
