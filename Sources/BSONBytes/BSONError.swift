/// What is wrong with bytes that claim to be BSON, and where.
public struct BSONError: Error, Hashable, Sendable, CustomStringConvertible {
    /// A stable name for one kind of defect; new ones may be added.
    public struct Code: RawRepresentable, Hashable, Sendable {
        public let rawValue: String

        public init(rawValue: String) {
            self.rawValue = rawValue
        }

        /// A length lies outside `BSONLimits`.
        public static let lengthOutOfBounds = Code(rawValue: "length_out_of_bounds")
        /// The bytes end before the value does.
        public static let truncated = Code(rawValue: "truncated")
        /// A document's last byte is not zero.
        public static let missingTerminator = Code(rawValue: "missing_terminator")
        /// An element's type byte is none that BSON defines.
        public static let unknownType = Code(rawValue: "unknown_type")
        /// A field that must be there is missing or has another type.
        public static let unexpectedField = Code(rawValue: "unexpected_field")
    }

    public let code: Code
    /// What failed, in a few words; lowercase, no period, never document contents.
    public let message: String
    /// Byte offset of the defect from the start of the bytes that were read.
    public let offset: Int

    public init(_ code: Code, _ message: String, at offset: Int) {
        self.code = code
        self.message = message
        self.offset = offset
    }

    public var description: String { "\(message) at byte \(offset)" }
}
