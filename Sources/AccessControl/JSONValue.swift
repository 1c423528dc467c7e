/// A JSON value as tokens and key sets need it. Not Foundation's: that one takes the last of two
/// members with the same name, and what an issuer checked may have been the first.
enum JSONValue: Equatable {
    case null
    case bool(Bool)
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object([String: JSONValue])

    /// The members, or nil when it is no object.
    var object: [String: JSONValue]? {
        if case .object(let members) = self { members } else { nil }
    }

    /// The elements, or nil when it is no array.
    var array: [JSONValue]? {
        if case .array(let elements) = self { elements } else { nil }
    }

    /// The text, or nil when it is none.
    var string: String? {
        if case .string(let text) = self { text } else { nil }
    }

    /// The number, which is finite, or nil when it is none.
    var number: Double? {
        if case .number(let number) = self { number } else { nil }
    }

    /// Reads one value with nothing behind it but white space.
    ///
    /// - Throws: ``JSONReader/Failure`` for anything that RFC 8259 does not allow, for a name that
    ///   occurs twice in an object, for invalid UTF-8 and for more than 16 levels.
    static func decode(_ bytes: [UInt8]) throws(JSONReader.Failure) -> JSONValue {
        var reader = JSONReader(bytes)
        return try reader.readWhole()
    }
}
