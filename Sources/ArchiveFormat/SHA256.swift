internal import CCrypto

/// SHA-256, by OpenSSL.
public struct SHA256Digest: Hashable, Sendable, CustomStringConvertible {
    public static let byteCount = 32

    public let bytes: [UInt8]

    /// Hashes `content`.
    public init(of content: [UInt8]) {
        bytes = [UInt8](unsafeUninitializedCapacity: Self.byteCount) { digest, count in
            content.withUnsafeBufferPointer { source in
                _ = CCrypto.SHA256(source.baseAddress, source.count, digest.baseAddress)
            }
            count = Self.byteCount
        }
    }

    /// Takes a digest read from an archive; nil unless it has 32 bytes.
    public init?(bytes: some Collection<UInt8>) {
        guard bytes.count == Self.byteCount else { return nil }
        self.bytes = Array(bytes)
    }

    /// Sixty-four hexadecimal digits.
    public var description: String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
