/// What may stand in texts that people write and others read, such as a snapshot's description.
///
/// Control characters could forge lines of a log or a table; those that change the direction of
/// writing or are not seen let a text read as what it is not. So none of Unicode's categories Cc,
/// Cf, Zl and Zp is taken, but for the two joiners that writing and pictures of people need.
public enum FreeText {
    /// Code points that are not taken, in order.
    public static let refused: [ClosedRange<UInt32>] = [
        0x00...0x1F, 0x7F...0x9F, 0xAD...0xAD, 0x600...0x605, 0x61C...0x61C, 0x6DD...0x6DD,
        0x70F...0x70F, 0x890...0x891, 0x8E2...0x8E2, 0x180E...0x180E, 0x200B...0x200B,
        0x200E...0x200F, 0x2028...0x202E, 0x2060...0x2064, 0x2066...0x206F, 0xFEFF...0xFEFF,
        0xFFF9...0xFFFB, 0x110BD...0x110BD, 0x110CD...0x110CD, 0x13430...0x1343F,
        0x1BCA0...0x1BCA3, 0x1D173...0x1D17A, 0xE0001...0xE0001, 0xE0020...0xE007F,
    ]

    /// Whether a text has none of them.
    public static func isAllowed(_ text: String) -> Bool {
        text.unicodeScalars.allSatisfy { scalar in
            !refused.contains { $0.contains(scalar.value) }
        }
    }

    /// A regular expression that all of such a text fits, without anchors. What is beyond four
    /// hexadecimal digits stands in it as itself, for dialects differ in how they escape it.
    public static let pattern: String = {
        func escaped(_ code: UInt32) -> String {
            guard code > 0xFFFF, let scalar = Unicode.Scalar(code) else {
                let digits = String(code, radix: 16)
                return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            }
            return String(Character(scalar))
        }
        let ranges = refused.map { range in
            range.count == 1
                ? escaped(range.lowerBound)
                : "\(escaped(range.lowerBound))-\(escaped(range.upperBound))"
        }
        return "[^\(ranges.joined())]*"
    }()
}
