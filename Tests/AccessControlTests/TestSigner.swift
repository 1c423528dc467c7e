import AccessControl
import CryptoExtras
import Foundation
import JWTKit
import Testing

/// Signs whatever a test makes up, as an honest issuer or as an attacker.
struct TestSigner: Sendable {
    let algorithm: any JWTAlgorithm

    static let secretText = "0123456789abcdefghijklmnopqrstuvwxyz-ABCDEF"

    /// Signs with HS256 by the bytes of a text.
    static func secret(_ text: String = secretText) async throws -> TestSigner {
        let keys = await JWTKeyCollection().add(hmac: HMACKey(from: text), digestAlgorithm: .sha256)
        return TestSigner(algorithm: try await keys.getKey())
    }

    /// Signs with RS256.
    static func rsa(_ key: JWTKit.Insecure.RSA.PrivateKey) async throws -> TestSigner {
        let keys = await JWTKeyCollection().add(rsa: key, digestAlgorithm: .sha256)
        return TestSigner(algorithm: try await keys.getKey())
    }

    /// Signs with ES256.
    static func ecdsa(_ key: ES256PrivateKey) async throws -> TestSigner {
        let keys = await JWTKeyCollection().add(ecdsa: key)
        return TestSigner(algorithm: try await keys.getKey())
    }

    /// A token of a header and a payload as they stand, whatever they say.
    func token(_ header: String, _ payload: String) throws -> String {
        let signed = base64URL(Array(header.utf8)) + "." + base64URL(Array(payload.utf8))
        return signed + "." + base64URL(try algorithm.sign(Array(signed.utf8)))
    }

    /// A token with good claims and this header.
    func token(header: String) throws -> String {
        try token(header, TestClaims().text)
    }
}

/// Claims that a verifier takes at ``now``, with changes.
struct TestClaims {
    /// 2026-01-01 00:00:00 UTC.
    static let now = Date(timeIntervalSince1970: 1_767_225_600)

    /// JSON by name, in no particular order.
    var members: [String: String] = [
        "sub": "\"anna\"", "role": "\"admin\"", "exp": "1767229200",
    ]

    /// Good claims, some with other JSON, some left out (nil).
    init(_ changes: [String: String?] = [:]) {
        for (name, json) in changes { members[name] = json }
    }

    var text: String {
        "{" + members.sorted { $0.key < $1.key }.map { "\"\($0)\":\($1)" }.joined(separator: ",")
            + "}"
    }
}

/// Keys made once for all tests.
enum TestKeys {
    private static let rsaKeys = Result {
        try (0..<2).map { _ in
            try JWTKit.Insecure.RSA.PrivateKey(backing: _RSA.Signing.PrivateKey(keySize: .bits2048))
        }
    }

    static func rsa(_ index: Int = 0) throws -> JWTKit.Insecure.RSA.PrivateKey {
        try rsaKeys.get()[index]
    }

    static let ecdsa = ES256PrivateKey()
    static let otherECDSA = ES256PrivateKey()

    /// The JWK of an RSA key, with members added.
    static func jwk(_ key: JWTKit.Insecure.RSA.PrivateKey, _ members: [String: String] = [:]) throws
        -> String
    {
        let (modulus, exponent) = try key.publicKey.getKeyPrimitives()
        return json(
            ["kty": "RSA", "n": base64URL(Array(modulus)), "e": base64URL(Array(exponent))],
            members)
    }

    /// The JWK of a P-256 key, with members added.
    static func jwk(_ key: ES256PrivateKey, _ members: [String: String] = [:]) throws -> String {
        let (x, y) = try #require(key.publicKey.parameters)
        return json(["kty": "EC", "crv": "P-256", "x": unpadded(x), "y": unpadded(y)], members)
    }

    static func jwks(_ keys: String...) -> String {
        "{\"keys\":[\(keys.joined(separator: ","))]}"
    }

    private static func json(_ base: [String: String], _ more: [String: String]) -> String {
        let members = base.merging(more) { $1 }.sorted { $0.key < $1.key }
        return "{" + members.map { "\"\($0)\":\"\($1)\"" }.joined(separator: ",") + "}"
    }
}

func base64URL(_ bytes: [UInt8]) -> String { unpadded(Data(bytes).base64EncodedString()) }

private func unpadded(_ base64: String) -> String {
    base64.replacingOccurrences(of: "+", with: "-").replacingOccurrences(of: "/", with: "_")
        .replacingOccurrences(of: "=", with: "")
}

extension TokenVerifier {
    /// Of tokens signed with the tests' secret.
    static func ofSecret(_ rules: TokenRules? = nil) async throws -> TokenVerifier {
        try await TokenVerifier(
            keys: .secret(SharedSecret(TestSigner.secretText)), rules: rules ?? TokenRules())
    }

    /// Why a token is refused, or nil when it is not.
    func refusal(_ token: String, now: Date = TestClaims.now) async throws -> AccessError.Reason? {
        do {
            _ = try await verify(token, now: now)
            return nil
        } catch let error as AccessError {
            #expect(error.code == (error.reason == .expired ? .expired : .invalid))
            return error.reason
        }
    }
}
