internal import Crypto
internal import Foundation

/// Makes tokens that no issuer would.
enum TokenForge {
    /// What a token says that would be good.
    static func claims(_ now: Date, role: String = "super_admin", more: String = "") -> String {
        let expiry = Int(now.timeIntervalSince1970) + 600
        return #"{"sub": "mallory", "role": "\#(role)", "exp": \#(expiry)\#(more)}"#
    }

    /// A token of those texts, with a signature of those bytes.
    static func token(
        _ header: String, _ claims: String, _ sign: (Data) throws -> Data
    ) rethrows -> String {
        let signed = base64(Data(header.utf8)) + "." + base64(Data(claims.utf8))
        return signed + "." + base64(try sign(Data(signed.utf8)))
    }

    /// The signature of HS256.
    static func hs256(_ secret: Data) -> (Data) -> Data {
        { bytes in
            let key = SymmetricKey(data: secret)
            return Data(HMAC<SHA256>.authenticationCode(for: bytes, using: key))
        }
    }

    /// The signature of ES256.
    static func es256(_ key: P256.Signing.PrivateKey) -> (Data) throws -> Data {
        { bytes in try key.signature(for: bytes).rawRepresentation }
    }

    /// A public key as a JWKS has it.
    static func jwk(_ key: P256.Signing.PrivateKey, keyID: String) -> String {
        let point = key.publicKey.rawRepresentation
        let (x, y) = (base64(point.prefix(32)), base64(point.suffix(32)))
        return #"{"kty": "EC", "crv": "P-256", "kid": "\#(keyID)", "x": "\#(x)", "y": "\#(y)"}"#
    }

    static func base64(_ data: Data) -> String {
        data.base64EncodedString().replacing("+", with: "-").replacing("/", with: "_")
            .replacing("=", with: "")
    }
}
