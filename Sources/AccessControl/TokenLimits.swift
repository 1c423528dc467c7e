/// What a token may have at most.
enum TokenLimits {
    /// The whole token; also what an HTTP server takes as a header.
    static let tokenByteCountMax = 8 * 1024
    /// `sub`, `jti` and `kid`.
    static let nameByteCountMax = 256
    /// `aud`, when it is a list.
    static let audienceCountMax = 32
    /// Times: the end of the year 9999, in seconds since 1970.
    static let secondsMax: Double = 253_402_300_799
    /// How much a configuration may forgive a clock.
    static let leewaySecondsMax = 60
}

extension String {
    /// Whether it can name a caller, a key or a token in logs and files: 1 to 256 bytes, not only
    /// blanks, no control or formatting characters and no line ends, which would let it look like
    /// something else.
    var isPlausibleName: Bool {
        guard (1...TokenLimits.nameByteCountMax).contains(utf8.count) else { return false }
        let isPlain = unicodeScalars.allSatisfy { scalar in
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .unassigned: false
            default: true
            }
        }
        return isPlain && !allSatisfy(\.isWhitespace)
    }

    /// Whether both are the same bytes; `==` takes different spellings of a letter as equal.
    func hasSameBytes(as other: String) -> Bool {
        utf8.elementsEqual(other.utf8)
    }
}
