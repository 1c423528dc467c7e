internal import SnapshotJSON

/// The shape of a JSON value, as data: requests are checked against it, and the OpenAPI document
/// tells it, so that neither can differ from the other.
indirect enum Schema: Sendable {
    case string(TextRule)
    case integer(ClosedRange<Int>)
    /// A number of any kind.
    case number
    case boolean
    case array(Schema, countMin: Int = 0, countMax: Int)
    case object([Property])
    /// An object whose names are data.
    case map(Schema)
    /// The value, or null.
    case nullable(Schema)
    /// One of those that the document lists by name.
    case named(String)
    /// What fits one of these.
    case oneOf([Schema])
    /// Any JSON value.
    case any
    /// The same with a sentence for readers.
    case described(Schema, String)

    /// What a string may be.
    struct TextRule: Sendable {
        /// The only strings that are allowed; nil for any.
        var values: [String]?
        /// How many code points it may have.
        var lengths: ClosedRange<Int>
        /// A regular expression that all of it has to fit, without anchors; nil for none.
        var pattern: String?
        /// What is said of a text that does not fit it, as an end of "The field …".
        var complaint: String?
        /// A word of JSON Schema's for what it is; "date-time" is checked too.
        var format: String?

        init(
            values: [String]? = nil, lengths: ClosedRange<Int> = 0...1024, pattern: String? = nil,
            else complaint: String? = nil, format: String? = nil
        ) {
            self.values = values
            self.lengths = lengths
            self.pattern = pattern
            self.complaint = complaint
            self.format = format
        }
    }

    /// A member of an object.
    struct Property: Sendable {
        var name: String
        var schema: Schema
        var isRequired: Bool

        /// One that may be left out.
        init(_ name: String, _ schema: Schema, isRequired: Bool = false) {
            self.name = name
            self.schema = schema
            self.isRequired = isRequired
        }

        /// One that is always there.
        static func required(_ name: String, _ schema: Schema) -> Property {
            Property(name, schema, isRequired: true)
        }
    }

    /// A string of any content.
    static let text = Schema.string(TextRule(lengths: 0...1_000_000))
    /// A number of things.
    static let count = Schema.integer(0...Int.max)
    /// A moment in ISO 8601, UTC.
    static let time = Schema.string(TextRule(lengths: 1...40, format: momentFormat))
    /// The word for moments.
    static let momentFormat = "date-time"

    /// One of these words.
    static func word(_ values: String...) -> Schema { .string(TextRule(values: values)) }

    /// The same with a sentence for readers.
    func saying(_ description: String) -> Schema { .described(self, description) }
}
