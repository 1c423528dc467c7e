import AccessControl
import Foundation
import JWTKit
import Testing

/// What stands in a token before its claims: its form, its header, its signature.
@Suite struct TokenFormTests {
    private static let header = #"{"alg":"HS256","typ":"JWT"}"#

    private func good() async throws -> String {
        try await TestSigner.secret().token(header: Self.header)
    }

    private func refusal(_ token: String) async throws -> AccessError.Reason? {
        try await TokenVerifier.ofSecret().refusal(token)
    }

    private func refusal(header: String) async throws -> AccessError.Reason? {
        try await refusal(TestSigner.secret().token(header: header))
    }

    @Test func aGoodTokenTellsWhoCalls() async throws {
        let caller = try await TokenVerifier.ofSecret().verify(good(), now: TestClaims.now)
        let expected = Caller(
            subject: "anna", role: .admin, expiresAt: Date(timeIntervalSince1970: 1_767_229_200))
        #expect(caller == expected)
    }

    @Test(arguments: ["none", "None", "nOnE", "NONE", "", "HS384", "HS512", "hs256", "RS256"])
    func otherAlgorithmsAreRefused(_ name: String) async throws {
        #expect(try await refusal(header: #"{"alg":"\#(name)"}"#) == .algorithm)
        let parts = try await good().split(separator: ".")
        let header = base64URL(Array(#"{"alg":"\#(name)"}"#.utf8))
        #expect(try await refusal("\(header).\(parts[1]).") == .notThreeParts)
        #expect(try await refusal("\(header).\(parts[1]).AA") == .algorithm)
    }

    @Test(arguments: [#"{}"#, #"{"alg":null}"#, #"{"alg":["HS256"]}"#, #"{"alg":256}"#])
    func aMissingOrOddAlgorithmIsRefused(_ header: String) async throws {
        #expect(try await refusal(header: header) == .algorithm)
    }

    @Test func anotherSecretIsRefused() async throws {
        let other = try await TestSigner.secret("another secret that is long enough, too")
        #expect(try await refusal(other.token(header: Self.header)) == .signature)
    }

    @Test func anyChangedPartIsRefused() async throws {
        let token = try await good()
        let parts = token.split(separator: ".").map(String.init)
        let admin = base64URL(Array(TestClaims(["role": "\"super_admin\""]).text.utf8))
        #expect(try await refusal("\(parts[0]).\(admin).\(parts[2])") == .signature)
        let header = base64URL(Array(#"{"alg":"HS256"}"#.utf8))
        #expect(try await refusal("\(header).\(parts[1]).\(parts[2])") == .signature)
        for length in [0, 1, 31] {
            let short = base64URL([UInt8](repeating: 7, count: length))
            let expected: AccessError.Reason = length == 0 ? .notThreeParts : .signature
            #expect(try await refusal("\(parts[0]).\(parts[1]).\(short)") == expected)
        }
    }

    /// Not only that it is wrong: every single bit of it counts.
    @Test func everyBitOfTheSignatureCounts() async throws {
        let verifier = try await TokenVerifier.ofSecret()
        let signer = try await TestSigner.secret()
        let signed = try signer.token(header: Self.header).split(separator: ".")
        let input = "\(signed[0]).\(signed[1])"
        let signature = try signer.algorithm.sign(Array(input.utf8))
        for bit in 0..<signature.count * 8 {
            var changed = signature
            changed[bit / 8] ^= 1 << (bit % 8)
            #expect(try await verifier.refusal("\(input).\(base64URL(changed))") == .signature)
        }
    }

    @Test func otherSpellingsOfTheSameBytesAreRefused() async throws {
        let token = try await good()
        for spelling in [token + "=", token + "==", token + "\n", " " + token, token + " "] {
            #expect(try await refusal(spelling) == .encoding)
        }
        #expect(try await refusal(token + ".") == .notThreeParts)
        #expect(try await refusal(token + ".x") == .notThreeParts)
        // 32 bytes leave two bits of the last character unused; they must be 0.
        let last = try #require(token.last)
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
        let index = try #require(alphabet.firstIndex(of: last))
        #expect(index % 4 == 0)
        for offset in 1...3 {
            let other = token.dropLast() + String(alphabet[index + offset])
            #expect(try await refusal(String(other)) == .encoding)
        }
    }

    @Test(arguments: ["", ".", "..", "a", "a.b", "...", "Bearer x.y.z", "a.b.c.d.e"])
    func whatIsNotThreePartsIsRefused(_ text: String) async throws {
        let reason = try await refusal(text)
        #expect(reason == .notThreeParts || reason == .encoding)
    }

    @Test func onlyEightKibibytesAreLookedAt() async throws {
        let signer = try await TestSigner.secret()
        let fitting = TestClaims(["pad": "\"\(String(repeating: "x", count: 5_900))\""]).text
        #expect(try await refusal(signer.token(Self.header, fitting)) == nil)
        let large = TestClaims(["pad": "\"\(String(repeating: "x", count: 6_200))\""]).text
        #expect(try await refusal(signer.token(Self.header, large)) == .tooLong)
    }

    @Test(arguments: [
        #"{"alg":"HS256","crit":["exp"],"exp":1}"#, #"{"alg":"HS256","crit":[]}"#,
        #"{"alg":"HS256","b64":false}"#,
    ])
    func criticalExtensionsAreRefused(_ header: String) async throws {
        #expect(try await refusal(header: header) == .critical)
    }

    @Test func tokensForOtherPurposesAreRefused() async throws {
        for type in [#""dpop+jwt""#, #""logout+jwt""#, "1", "null"] {
            #expect(try await refusal(header: #"{"alg":"HS256","typ":\#(type)}"#) == .type)
        }
        for type in ["jwt", "at+jwt", "JWT"] {
            #expect(try await refusal(header: #"{"alg":"HS256","typ":"\#(type)"}"#) == nil)
        }
    }

    @Test func namesThatOccurTwiceAreRefused() async throws {
        #expect(try await refusal(header: #"{"alg":"HS256","alg":"none"}"#) == .json)
        let signer = try await TestSigner.secret()
        let twice = [
            #"{"sub":"a","role":"viewer","exp":1767229200,"role":"super_admin"}"#,
            #"{"sub":"a","role":"viewer","exp":1767229200,"rol\u0065":"super_admin"}"#,
            #"{"sub":"a","role":"viewer","exp":1767229200,"x":{"a":1,"a":1}}"#,
        ]
        for payload in twice {
            #expect(try await refusal(signer.token(Self.header, payload)) == .json)
        }
    }

    @Test(arguments: ["", "[]", "1", "null", "{", "{}x", "{'a':1}", #"{"a":1,}"#, "\u{FEFF}{}"])
    func aPayloadThatIsNoObjectIsRefused(_ payload: String) async throws {
        let reason = try await refusal(TestSigner.secret().token(Self.header, payload))
        #expect(reason == (payload.isEmpty ? .notThreeParts : .json))
    }

    @Test func keysThatComeWithTheTokenAreNotUsed() async throws {
        let attacker = try await TestSigner.ecdsa(TestKeys.otherECDSA)
        let jwk = try TestKeys.jwk(TestKeys.otherECDSA)
        let verifier = try await TokenVerifier.of(TestKeys.jwks(TestKeys.jwk(TestKeys.ecdsa)))
        for header in [
            #"{"alg":"ES256","jwk":\#(jwk)}"#,
            #"{"alg":"ES256","jku":"http://127.0.0.1:1/","x5u":"http://127.0.0.1:1/"}"#,
        ] {
            #expect(try await verifier.refusal(attacker.token(header: header)) == .signature)
        }
    }

    @Test func logsLearnNothingOfTheToken() async throws {
        let token = try await good()
        do {
            _ = try await TokenVerifier.ofSecret().verify(token + "=", now: TestClaims.now)
            Issue.record("it was taken")
        } catch {
            #expect("\(error)" == "token refused: encoding")
        }
    }
}
