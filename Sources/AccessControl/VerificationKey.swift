internal import FoundationEssentials
internal import JWTKit

/// A key that signatures are checked with, tied to the one algorithm it may be used for.
struct VerificationKey: Sendable {
    let keyID: String?
    let algorithm: SigningAlgorithm
    private let implementation: any JWTAlgorithm

    /// RSA keys with larger moduli take long to compute with.
    private static let modulusBitCountMax = 8192

    /// The key of a shared secret.
    init(_ secret: SharedSecret) async throws {
        keyID = nil
        algorithm = .hs256
        implementation = try await JWTKeyCollection()
            .add(hmac: HMACKey(from: secret.bytes), digestAlgorithm: .sha256).getKey()
    }

    /// The key of a member of a JWKS. Nil when it is for something else: another kind, use or
    /// algorithm.
    ///
    /// - Throws: ``AccessError`` with the code `invalid` and the reason `keysUnavailable` when it
    /// is   meant for us but unfit.
    init?(_ members: [String: JSONValue]) async throws {
        guard let algorithm = try Self.algorithm(members) else { return nil }
        guard members["kid"] == nil || members["kid"]?.string?.isPlausibleName == true else {
            throw Self.unfit("a key's kid is no plausible name")
        }
        guard members["d"] == nil else { throw Self.unfit("it contains a private key") }
        keyID = members["kid"]?.string
        self.algorithm = algorithm
        let keys = JWTKeyCollection()
        switch algorithm {
        case .rs256:
            await keys.add(rsa: try Self.rsaKey(members), digestAlgorithm: .sha256)
        case .es256:
            await keys.add(ecdsa: try Self.ecdsaKey(members))
        case .hs256:
            return nil
        }
        implementation = try await keys.getKey()
    }

    /// Whether the signature is this key's and of these bytes.
    func hasSigned(_ bytes: [UInt8], signature: [UInt8]) -> Bool {
        do {
            return try implementation.verify(signature, signs: bytes)
        } catch {
            // What is no signature at all, as one of the wrong length.
            return false
        }
    }

    /// What a JWK may be used for (RFC 7517, 4), or nil when that is nothing to us.
    private static func algorithm(_ members: [String: JSONValue]) throws -> SigningAlgorithm? {
        guard let kind = members["kty"]?.string else { throw unfit("a key has no kty") }
        if let use = members["use"], use.string != "sig" { return nil }
        if let operations = members["key_ops"] {
            guard operations.array?.contains(.string("verify")) == true else { return nil }
        }
        let algorithm: SigningAlgorithm
        switch kind {
        case "RSA": algorithm = .rs256
        case "EC" where members["crv"] == .string("P-256"): algorithm = .es256
        default: return nil
        }
        if let named = members["alg"], named.string != algorithm.rawValue { return nil }
        return algorithm
    }

    private static func rsaKey(_ members: [String: JSONValue]) throws -> Insecure.RSA.PublicKey {
        guard let modulus = members["n"]?.string, let exponent = members["e"]?.string,
            let modulusBytes = Base64URL.decode(Array(modulus.utf8))?.drop(while: { $0 == 0 }),
            let exponentBytes = Base64URL.decode(Array(exponent.utf8))?.drop(while: { $0 == 0 })
        else { throw unfit("an RSA key has no n and e in base64url") }
        let bitCount = modulusBytes.count * 8 - (modulusBytes.first?.leadingZeroBitCount ?? 0)
        guard bitCount >= 2048 else { throw unfit("an RSA key has less than 2048 bits") }
        guard bitCount <= modulusBitCountMax else {
            throw unfit("an RSA key has more than \(modulusBitCountMax) bits")
        }
        let value = exponentBytes.reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard exponentBytes.count <= 4, value >= 3, value % 2 == 1 else {
            throw unfit("an RSA key has an unusual exponent")
        }
        do {
            return try Insecure.RSA.PublicKey(modulus: modulus, exponent: exponent)
        } catch {
            throw unfit("an RSA key is none")
        }
    }

    private static func ecdsaKey(_ members: [String: JSONValue]) throws -> ES256PublicKey {
        guard let x = members["x"]?.string, let y = members["y"]?.string,
            Base64URL.decode(Array(x.utf8))?.count == 32,
            Base64URL.decode(Array(y.utf8))?.count == 32
        else { throw unfit("a P-256 key has no x and y of 32 bytes") }
        do {
            return try ES256PublicKey(parameters: (x, y))
        } catch {
            throw unfit("a P-256 key is not on the curve")
        }
    }

    private static func unfit(_ detail: String) -> AccessError {
        AccessError(.keysUnavailable, detail: detail)
    }
}
