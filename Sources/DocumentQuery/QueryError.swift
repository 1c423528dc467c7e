/// Why a filter is not one that can be used, and where in it.
public struct QueryError: Error, Hashable, Sendable, CustomStringConvertible {
    /// A stable name for one kind of mistake; new ones may be added.
    public struct Code: RawRepresentable, Hashable, Sendable {
        public let rawValue: String

        public init(rawValue: String) {
            self.rawValue = rawValue
        }

        /// An operator of MongoDB's that is not evaluated here.
        public static let unsupported = Code(rawValue: "unsupported")
        /// An operator that MongoDB does not have, or not in this place.
        public static let unknownOperator = Code(rawValue: "unknown_operator")
        /// An operator's value is not what it takes.
        public static let badValue = Code(rawValue: "bad_value")
        /// A regular expression that takes too long, too many steps or too much memory for a string
        /// of a document.
        public static let tooExpensive = Code(rawValue: "too_expensive")
        /// Operators within operators beyond `DocumentFilter.depthMax`.
        public static let nestedTooDeep = Code(rawValue: "nested_too_deep")
    }

    public let code: Code
    /// What is wrong, said of the place: lowercase, no period, never values of the filter.
    public let message: String
    /// Names from the filter's outside to the mistake, such as `$or[1].age.$in`.
    public let place: String

    init(_ code: Code, _ message: String, at place: String) {
        self.code = code
        self.message = message
        self.place = place
    }

    public var description: String { "\(place.isEmpty ? "it" : place) \(message)" }
}
