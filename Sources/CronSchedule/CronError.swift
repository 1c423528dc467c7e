/// What is wrong with a schedule, and where.
public struct CronError: Error, Hashable, Sendable, CustomStringConvertible {
    /// A stable name for one kind of failure; new ones may be added.
    public struct Code: RawRepresentable, Hashable, Sendable {
        /// The name as logs and reports show it.
        public let rawValue: String

        /// A code of that name.
        public init(rawValue: String) {
            self.rawValue = rawValue
        }

        /// There are not five fields, or far too many characters.
        public static let shape = Code(rawValue: "shape")
        /// An `@name` that stands for no schedule.
        public static let unknownName = Code(rawValue: "unknown_name")
        /// A field can't be read, or holds what it can't.
        public static let field = Code(rawValue: "field")
        /// No date ever matches.
        public static let neverOccurs = Code(rawValue: "never_occurs")
        /// There is no time zone of that name.
        public static let unknownTimeZone = Code(rawValue: "unknown_time_zone")
    }

    /// Which kind of failure it is.
    public let code: Code
    /// The field it is about, such as `day of month`; nil when it is about none of them.
    public let field: String?
    /// What is wrong, in a few words; lowercase, no period.
    public let message: String

    /// A failure, with the name of the field that it is about.
    init(_ code: Code, _ message: String, field: String? = nil) {
        self.code = code
        self.field = field
        self.message = message
    }

    /// Field and message as a line for people.
    public var description: String { field.map { "\($0): \(message)" } ?? message }
}
