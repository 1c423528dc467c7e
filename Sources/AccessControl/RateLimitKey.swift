internal import Glibc

/// Whose requests are counted together.
public struct RateLimitKey: Hashable, Sendable {
    private let text: String

    /// All requests of a verified caller.
    public static func subject(_ subject: String) -> RateLimitKey {
        RateLimitKey(text: "s " + subject)
    }

    /// All requests from an address: of IPv4 the address, of IPv6 its /64, which is what one
    /// customer has; an IPv4 address in IPv6's clothes (`::ffff:192.0.2.1`) counts as itself.
    ///
    /// - Parameter text: an address without a port. What is none counts by its first 64 bytes.
    public static func address(_ text: String) -> RateLimitKey {
        let isBracketed = text.hasPrefix("[") && text.hasSuffix("]")
        var bare = isBracketed ? text.dropFirst().dropLast() : text[...]
        // The zone of a link-local address.
        if let zone = bare.firstIndex(of: "%") { bare = bare[..<zone] }
        var four = in_addr()
        if inet_pton(AF_INET, String(bare), &four) == 1 {
            return RateLimitKey(text: "4 \(UInt32(bigEndian: four.s_addr))")
        }
        var six = in6_addr()
        guard inet_pton(AF_INET6, String(bare), &six) == 1 else {
            return RateLimitKey(text: "? " + String(decoding: text.utf8.prefix(64), as: UTF8.self))
        }
        let bytes = withUnsafeBytes(of: six) { Array($0) }
        func number(_ bytes: ArraySlice<UInt8>) -> UInt64 {
            bytes.reduce(0) { $0 << 8 | UInt64($1) }
        }
        if number(bytes[..<8]) == 0, number(bytes[8..<12]) == 0xFFFF {
            return RateLimitKey(text: "4 \(number(bytes[12...]))")
        }
        return RateLimitKey(text: "6 \(number(bytes[..<8]))")
    }
}
