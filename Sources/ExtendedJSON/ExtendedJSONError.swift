internal import BSONBytes

/// What is wrong with a text that claims to be Extended JSON, or with BSON that is to become one.
public struct ExtendedJSONError: Error, Hashable, Sendable, CustomStringConvertible {
    /// A stable name for one kind of defect; new ones may be added.
    public struct Code: RawRepresentable, Hashable, Sendable {
        /// The name as logs and reports show it.
        public let rawValue: String

        /// A code of that name.
        public init(rawValue: String) {
            self.rawValue = rawValue
        }

        /// The text is not JSON.
        public static let syntax = Code(rawValue: "syntax")
        /// The text is not UTF-8.
        public static let invalidUTF8 = Code(rawValue: "invalid_utf8")
        /// Documents are nested deeper than `BSONLimits.nestingDepthMax`.
        public static let nestedTooDeep = Code(rawValue: "nested_too_deep")
        /// The text is longer than `ExtendedJSONParser.textByteCountMax`.
        public static let textTooLong = Code(rawValue: "text_too_long")
        /// A number is beyond the range or the precision of its type.
        public static let inexactNumber = Code(rawValue: "inexact_number")
        /// A field name or a regular expression holds a zero byte, which BSON cannot store.
        public static let zeroByte = Code(rawValue: "zero_byte")
        /// The text is JSON but not of the kind asked for.
        public static let unexpectedValue = Code(rawValue: "unexpected_value")
        /// The BSON to be written has elements that do not fit it.
        public static let malformedBSON = Code(rawValue: "malformed_bson")
    }

    /// Which kind of defect it is.
    public let code: Code
    /// What failed, in a few words; lowercase, no period, never document contents.
    public let message: String
    /// Byte offset of the defect in the text, or in the element's document when BSON is written.
    public let offset: Int

    /// An error found at a byte offset.
    public init(_ code: Code, _ message: String, at offset: Int) {
        self.code = code
        self.message = message
        self.offset = offset
    }

    /// BSON that cannot be written as text.
    init(_ cause: BSONError) {
        self.init(.malformedBSON, cause.message, at: cause.offset)
    }

    /// Message and offset as a line for people.
    public var description: String { "\(message) at byte \(offset)" }
}
