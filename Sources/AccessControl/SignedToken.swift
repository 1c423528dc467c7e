/// A token in the compact form of RFC 7515, taken apart but not believed.
struct SignedToken {
    /// What the header says that it was signed with.
    let algorithm: String
    /// What the header says which key it was, or nil.
    let keyID: String?
    /// The claims.
    let claims: [String: JSONValue]
    /// What was signed: header and payload as they stand in the token.
    let signedBytes: [UInt8]
    let signature: [UInt8]

    /// Takes a token apart. Of the header, keys and where to get them (`jwk`, `jku`, `x5c`, `x5u`)
    /// are never looked at: they are what somebody sent.
    ///
    /// - Throws: ``AccessError`` with the code `invalid`.
    init(_ text: String) throws(AccessError) {
        guard text.utf8.count <= TokenLimits.tokenByteCountMax else { throw AccessError(.tooLong) }
        let bytes = Array(text.utf8)
        let parts = bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 3, parts.allSatisfy({ !$0.isEmpty }) else {
            throw AccessError(.notThreeParts)
        }
        guard let header = Base64URL.decode(parts[0]), let payload = Base64URL.decode(parts[1]),
            let signature = Base64URL.decode(parts[2])
        else { throw AccessError(.encoding) }
        let members = try Self.object(header)
        claims = try Self.object(payload)
        algorithm = try Self.algorithm(members)
        keyID = try Self.keyID(members)
        self.signature = signature
        signedBytes = Array(bytes[..<parts[1].endIndex])
    }

    private static func object(_ bytes: [UInt8]) throws(AccessError) -> [String: JSONValue] {
        do {
            if let members = try JSONValue.decode(bytes).object { return members }
        } catch {
            throw AccessError(.json)
        }
        throw AccessError(.json)
    }

    private static func algorithm(_ header: [String: JSONValue]) throws(AccessError) -> String {
        guard header["crit"] == nil, header["b64"] == nil else { throw AccessError(.critical) }
        if let type = header["typ"] {
            // Tokens for other purposes, as logout or DPoP proofs, say so (RFC 8725, 3.11).
            let accepted = ["jwt", "at+jwt", "application/at+jwt"]
            guard let text = type.string, accepted.contains(text.lowercased()) else {
                throw AccessError(.type)
            }
        }
        guard let algorithm = header["alg"]?.string else { throw AccessError(.algorithm) }
        return algorithm
    }

    private static func keyID(_ header: [String: JSONValue]) throws(AccessError) -> String? {
        guard let member = header["kid"] else { return nil }
        guard let text = member.string, text.isPlausibleName else { throw AccessError(.keyID) }
        return text
    }
}
