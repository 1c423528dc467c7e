/// A secret that issuer and verifier share, for HS256: its bytes are the text's in UTF-8, as other
/// JWT libraries take it.
public struct SharedSecret: Sendable, CustomStringConvertible, CustomReflectable {
    /// A key of HMAC-SHA256 is at least as long as its result (RFC 7518, 3.2).
    public static let byteCountMin = 32
    private static let byteCountMax = 4096
    private static let distinctByteCountMin = 8

    let bytes: [UInt8]

    /// The secret of that text; line ends around it, as files have them, are left out.
    ///
    /// - Throws: ``AccessError`` with the code `configuration` when it is too short, too long, has
    ///   fewer than 8 different characters or is a PEM file: a public key is no secret.
    public init(_ text: String) throws(AccessError) {
        let hint = "(make one with: openssl rand -base64 32)"
        var trimmed = Substring(text)
        while trimmed.first?.isNewline == true { trimmed.removeFirst() }
        while trimmed.last?.isNewline == true { trimmed.removeLast() }
        bytes = Array(trimmed.utf8)
        let count = bytes.count
        guard count >= Self.byteCountMin else {
            throw AccessError(
                configuration: "the secret for tokens has \(count) bytes, not 32 or more \(hint)")
        }
        guard count <= Self.byteCountMax else {
            throw AccessError(
                configuration: "the secret for tokens is longer than 4096 bytes \(hint)")
        }
        guard !trimmed.hasPrefix("-----BEGIN") else {
            throw AccessError(
                configuration: "the secret for tokens is a PEM file, not a secret \(hint)")
        }
        guard Set(bytes).count >= Self.distinctByteCountMin else {
            throw AccessError(configuration: "the secret for tokens is too easy to guess \(hint)")
        }
    }

    /// Says nothing of the secret.
    public var description: String { "SharedSecret" }
    /// Shows nothing of the secret.
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}
