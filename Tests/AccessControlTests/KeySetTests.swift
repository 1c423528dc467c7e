import AccessControl
import Foundation
import JWTKit
import Testing

extension TokenVerifier {
    /// With the keys of a JWKS in a file that is there for this call only: after it the keys are
    /// stale, but good.
    static func of(
        _ jwks: String, algorithms: Set<SigningAlgorithm> = [.rs256, .es256]
    ) async throws -> TokenVerifier {
        let file = try TemporaryFile(jwks)
        let verifier = try await TokenVerifier(
            keys: .keySet(.file(path: file.path), algorithms: algorithms), rules: TokenRules())
        try await verifier.prepare(now: TestClaims.now)
        return verifier
    }
}

/// Which key a token's header finds, and which keys are none.
@Suite struct KeySetTests {
    /// Why a JWKS cannot be used.
    private func failure(
        _ jwks: String, algorithms: Set<SigningAlgorithm> = [.rs256, .es256]
    ) async throws -> String? {
        do {
            _ = try await TokenVerifier.of(jwks, algorithms: algorithms)
            return nil
        } catch let error as AccessError {
            #expect(error.reason == .keysUnavailable)
            return error.detail
        }
    }

    @Test func bothKindsOfKeysVerify() async throws {
        let verifier = try await TokenVerifier.of(
            TestKeys.jwks(
                TestKeys.jwk(TestKeys.rsa(), ["kid": "r", "alg": "RS256", "use": "sig"]),
                TestKeys.jwk(TestKeys.ecdsa, ["kid": "e"])))
        let rsa = try await TestSigner.rsa(TestKeys.rsa())
        let ecdsa = try await TestSigner.ecdsa(TestKeys.ecdsa)
        #expect(try await verifier.refusal(rsa.token(header: #"{"alg":"RS256","kid":"r"}"#)) == nil)
        #expect(
            try await verifier.refusal(ecdsa.token(header: #"{"alg":"ES256","kid":"e"}"#)) == nil)
        // One key for each algorithm, so that none is ambiguous without a kid.
        #expect(try await verifier.refusal(rsa.token(header: #"{"alg":"RS256"}"#)) == nil)
        #expect(try await verifier.refusal(ecdsa.token(header: #"{"alg":"ES256"}"#)) == nil)
    }

    @Test func algorithmsAreNotMixedUp() async throws {
        let verifier = try await TokenVerifier.of(
            TestKeys.jwks(
                TestKeys.jwk(TestKeys.rsa(), ["kid": "r"]),
                TestKeys.jwk(TestKeys.ecdsa, ["kid": "e"])))
        let rsa = try await TestSigner.rsa(TestKeys.rsa())
        let ecdsa = try await TestSigner.ecdsa(TestKeys.ecdsa)
        for header in [#"{"alg":"ES256","kid":"r"}"#, #"{"alg":"RS256","kid":"e"}"#] {
            #expect(try await verifier.refusal(rsa.token(header: header)) == .unknownKey)
            #expect(try await verifier.refusal(ecdsa.token(header: header)) == .unknownKey)
        }
        #expect(try await verifier.refusal(rsa.token(header: #"{"alg":"ES256"}"#)) == .signature)
        #expect(try await verifier.refusal(ecdsa.token(header: #"{"alg":"RS256"}"#)) == .signature)
        for name in ["PS256", "RS384", "ES384", "EdDSA"] {
            let token = try rsa.token(header: #"{"alg":"\#(name)","kid":"r"}"#)
            #expect(try await verifier.refusal(token) == .algorithm)
        }
    }

    /// The attack that gave libraries which take the algorithm from the token away: the public key,
    /// which everybody has, as the secret.
    @Test func aPublicKeyIsNotTakenAsSecret() async throws {
        let key = try TestKeys.rsa()
        let verifier = try await TokenVerifier.of(TestKeys.jwks(TestKeys.jwk(key, ["kid": "r"])))
        let jwk = try TestKeys.jwk(key, ["kid": "r"])
        let (modulus, _) = try key.publicKey.getKeyPrimitives()
        for secret in [key.publicKey.pemRepresentation, jwk, base64URL(Array(modulus))] {
            let signer = try await TestSigner.secret(secret)
            for header in [#"{"alg":"HS256","kid":"r"}"#, #"{"alg":"HS256"}"#] {
                #expect(try await verifier.refusal(signer.token(header: header)) == .algorithm)
            }
            let lying = try signer.token(header: #"{"alg":"RS256","kid":"r"}"#)
            #expect(try await verifier.refusal(lying) == .signature)
        }
    }

    @Test func onlyConfiguredAlgorithmsCount() async throws {
        let jwks = try TestKeys.jwks(TestKeys.jwk(TestKeys.rsa()), TestKeys.jwk(TestKeys.ecdsa))
        let verifier = try await TokenVerifier.of(jwks, algorithms: [.es256])
        let rsa = try await TestSigner.rsa(TestKeys.rsa())
        #expect(try await verifier.refusal(rsa.token(header: #"{"alg":"RS256"}"#)) == .algorithm)
        for algorithms in [[], [.hs256], [.hs256, .rs256]] as [Set<SigningAlgorithm>] {
            await #expect(throws: AccessError.self) {
                try await TokenVerifier.of(jwks, algorithms: algorithms)
            }
        }
    }

    @Test func anotherKeyOfTheSameKindIsRefused() async throws {
        let verifier = try await TokenVerifier.of(
            TestKeys.jwks(
                TestKeys.jwk(TestKeys.rsa(), ["kid": "r"]),
                TestKeys.jwk(TestKeys.ecdsa, ["kid": "e"])))
        let rsa = try await TestSigner.rsa(TestKeys.rsa(1))
        let ecdsa = try await TestSigner.ecdsa(TestKeys.otherECDSA)
        let forRSA = try rsa.token(header: #"{"alg":"RS256","kid":"r"}"#)
        let forECDSA = try ecdsa.token(header: #"{"alg":"ES256","kid":"e"}"#)
        #expect(try await verifier.refusal(forRSA) == .signature)
        #expect(try await verifier.refusal(forECDSA) == .signature)
    }

    @Test func withoutAKidSeveralKeysAreAmbiguous() async throws {
        let verifier = try await TokenVerifier.of(
            TestKeys.jwks(
                TestKeys.jwk(TestKeys.ecdsa, ["kid": "a"]),
                TestKeys.jwk(TestKeys.otherECDSA, ["kid": "b"])))
        let signer = try await TestSigner.ecdsa(TestKeys.ecdsa)
        let unnamed = try signer.token(header: #"{"alg":"ES256"}"#)
        #expect(try await verifier.refusal(unnamed) == .ambiguousKey)
        let wrong = try signer.token(header: #"{"alg":"ES256","kid":"b"}"#)
        #expect(try await verifier.refusal(wrong) == .signature)
        let right = try signer.token(header: #"{"alg":"ES256","kid":"a"}"#)
        #expect(try await verifier.refusal(right) == nil)
    }

    @Test func aKidMustBeThatOfAKey() async throws {
        let signer = try await TestSigner.ecdsa(TestKeys.ecdsa)
        let token = try signer.token(header: #"{"alg":"ES256","kid":"a"}"#)
        for member in [[:], ["kid": "A"], ["kid": "ab"]] {
            let verifier = try await TokenVerifier.of(
                TestKeys.jwks(TestKeys.jwk(TestKeys.ecdsa, member)))
            #expect(try await verifier.refusal(token) == .unknownKey)
        }
        let long = String(repeating: "k", count: 257)
        let verifier = try await TokenVerifier.of(TestKeys.jwks(TestKeys.jwk(TestKeys.ecdsa)))
        for kid in ["1", "null", "\"\"", "\"a\\u0000\"", "\"\(long)\"", "[\"a\"]"] {
            let odd = try signer.token(header: #"{"alg":"ES256","kid":\#(kid)}"#)
            #expect(try await verifier.refusal(odd) == .keyID)
        }
    }

    @Test func keysForOtherPurposesAreNotUsed() async throws {
        let other: [[String: String]] = [
            ["use": "enc"], ["alg": "ES384"], ["crv": "P-384"], ["kty": "oct"], ["kty": "OKP"],
        ]
        for members in other {
            let jwks = try TestKeys.jwks(TestKeys.jwk(TestKeys.ecdsa, members))
            #expect(try await failure(jwks) == "the JWKS has no key for the configured algorithms")
        }
        let operations = try TestKeys.jwk(TestKeys.ecdsa).dropLast() + #","key_ops":["sign"]}"#
        #expect(try await failure(TestKeys.jwks(String(operations))) != nil)
        let mixed = try TestKeys.jwks(
            TestKeys.jwk(TestKeys.ecdsa, ["kid": "a"]),
            TestKeys.jwk(TestKeys.otherECDSA, ["kid": "b", "use": "enc"]))
        #expect(try await failure(mixed) == nil)
    }

    @Test func weakAndOddKeysAreRefused() async throws {
        func rsa(_ modulus: [UInt8], _ exponent: [UInt8] = [1, 0, 1]) -> String {
            TestKeys.jwks(
                #"{"kty":"RSA","n":"\#(base64URL(modulus))","e":"\#(base64URL(exponent))"}"#)
        }
        func bytes(_ count: Int, first: UInt8 = 0xFF) -> [UInt8] {
            [first] + [UInt8](repeating: 0xFF, count: count - 1)
        }
        #expect(try await failure(rsa(bytes(128)))?.contains("less than 2048 bits") == true)
        #expect(
            try await failure(rsa(bytes(256, first: 0x7F)))?.contains("less than 2048") == true)
        let padded = [UInt8](repeating: 0, count: 200) + bytes(128)
        #expect(try await failure(rsa(padded))?.contains("less than 2048 bits") == true)
        #expect(try await failure(rsa(bytes(1025)))?.contains("more than 8192 bits") == true)
        for exponent in [[1], [4], [], [1, 0, 0, 0, 1]] as [[UInt8]] {
            #expect(try await failure(rsa(bytes(256), exponent))?.contains("exponent") == true)
        }
        let point = String(repeating: "A", count: 43)
        let offCurve = #"{"kty":"EC","crv":"P-256","x":"\#(point)","y":"\#(point)"}"#
        #expect(try await failure(TestKeys.jwks(offCurve))?.contains("not on the curve") == true)
        let short = #"{"kty":"EC","crv":"P-256","x":"AAAA","y":"AAAA"}"#
        #expect(try await failure(TestKeys.jwks(short))?.contains("32 bytes") == true)
        let open = try TestKeys.jwk(TestKeys.ecdsa, ["d": "AAAA"])
        #expect(try await failure(TestKeys.jwks(open))?.contains("private key") == true)
    }

    @Test func whatIsNoJWKSIsRefused() async throws {
        let key = try TestKeys.jwk(TestKeys.ecdsa, ["kid": "a"])
        let many = Array(repeating: "{}", count: 101).joined(separator: ",")
        let cases = [
            "": "is empty", "garbage": "is no JSON", "[]": "has no list of keys",
            "{}": "has no list of keys", #"{"keys":{}}"#: "has no list of keys",
            #"{"keys":[]}"#: "has no key for the configured algorithms",
            #"{"keys":[1]}"#: "has a key that is no object",
            #"{"keys":[],"keys":[]}"#: "is no JSON",
            "{\"keys\":[\(key),\(key)]}": "has a kid twice",
            "{\"keys\":[\(many)]}": "has more than 100 keys",
        ]
        for (text, detail) in cases {
            #expect(try await failure(text) == "the JWKS \(detail)")
        }
        #expect(try await failure(#"{"keys":[{}]}"#) == "a key has no kty")
    }
}
