internal import ExtendedJSON
internal import Synchronization

/// A field of a request that is not as it has to be.
struct FieldError: Hashable, Sendable {
    /// Where requests have fields.
    enum Place: String, Sendable {
        case body, query, path, header
    }

    /// Where the field is.
    var place: Place
    /// A JSON pointer into the body (RFC 6901), or the parameter's name.
    var field: String
    /// What is wrong with it: lowercase, no period, never the value.
    var message: String
}

/// Checks a JSON value and notes all that is wrong, not only the first. When so much is wrong that
/// nobody would read it, it ends; a part of the value may not have been looked at then.
///
/// Cost: each value is looked at once.
struct SchemaValidation {
    /// Nobody reads more; a hostile body could have many.
    static let errorCountMax = 100

    /// What is wrong.
    private(set) var errors: [FieldError] = []
    /// Values that were looked at so far.
    private(set) var valueCount = 0
    private let place: FieldError.Place

    init(_ place: FieldError.Place) {
        self.place = place
    }

    /// Checks a value.
    ///
    /// - Parameter field: where it stands.
    mutating func check(_ node: JSONNode, _ schema: Schema, at field: String) {
        guard !hasEnded else { return }
        valueCount += 1
        switch (schema, node.kind) {
        case (.described(let inner, _), _): check(node, inner, at: field)
        case (.nullable, .null): break
        case (.nullable(let inner), _): check(node, inner, at: field)
        case (.any, _): break
        case (.boolean, .bool): break
        case (.number, .number): break
        case (.string(let rule), .string(let text)): check(text, rule, at: field)
        case (.integer(let range), .number(let digits)):
            check(WholeNumber.value(json: digits), range, at: field)
        case (.array(let item, let countMin, let countMax), .array(let nodes)):
            if nodes.count < countMin { note(field, "is empty; leave it out for everything") }
            if nodes.count > countMax { note(field, "has more than \(countMax) values") }
            for (position, node) in nodes.enumerated().prefix(countMax) {
                guard !hasEnded else { break }
                check(node, item, at: "\(field)/\(position)")
            }
        case (.object(let properties), .object(let members)):
            check(members, properties, at: field)
        case (.map(let value), .object(let members)):
            for member in members {
                guard !hasEnded else { break }
                check(member.node, value, at: "\(field)/\(JSONPointer.escaped(member.name))")
            }
        case (.named, _), (.oneOf, _): preconditionFailure("such schemas are for replies")
        default: note(field, "is not \(schema.noun)")
        }
    }

    /// Checks a parameter's text, which is no JSON.
    mutating func check(parameter text: String, _ schema: Schema, at field: String) {
        switch schema {
        case .described(let inner, _): check(parameter: text, inner, at: field)
        case .string(let rule): check(text, rule, at: field)
        case .integer(let range):
            check(WholeNumber.value(parameter: text), range, at: field)
        case .boolean:
            if text != "true" && text != "false" { note(field, "is neither true nor false") }
        default: preconditionFailure("parameters are strings, integers or booleans")
        }
    }

    /// Whether so much is wrong that the rest is not looked at.
    var hasEnded: Bool { errors.count >= Self.errorCountMax }

    /// Notes what is wrong with a field.
    mutating func note(_ field: String, _ message: String) {
        guard !hasEnded else { return }
        errors.append(FieldError(place: place, field: field, message: message))
    }

    private mutating func check(
        _ members: [(name: String, node: JSONNode)], _ properties: [Schema.Property],
        at field: String
    ) {
        var seen: Set<String> = []
        for member in members {
            guard !hasEnded else { return }
            let place = "\(field)/\(JSONPointer.escaped(member.name))"
            guard seen.insert(member.name).inserted else {
                note(place, "is there twice")
                continue
            }
            guard let property = properties.first(where: { $0.name == member.name }) else {
                valueCount += 1
                note(place, "is not a field")
                continue
            }
            check(member.node, property.schema, at: place)
        }
        for property in properties where property.isRequired && !seen.contains(property.name) {
            note("\(field)/\(property.name)", "is missing")
        }
    }

    private mutating func check(_ text: String, _ rule: Schema.TextRule, at field: String) {
        if let values = rule.values {
            if !values.contains(text) {
                note(field, "must be one of \(values.joined(separator: ", "))")
            }
            return
        }
        let length = text.unicodeScalars.count
        guard rule.lengths.contains(length) else {
            note(
                field,
                length < rule.lengths.lowerBound
                    ? "is shorter than \(rule.lengths.lowerBound) characters"
                    : "is longer than \(rule.lengths.upperBound) characters")
            return
        }
        if let pattern = rule.pattern, !Self.fits(text, pattern) {
            note(field, rule.complaint ?? "does not have the form \(pattern)")
        } else if rule.format == Schema.momentFormat, Moment.milliseconds(text) == nil {
            note(field, "is no moment")
        }
    }

    private mutating func check(_ number: Int?, _ range: ClosedRange<Int>, at field: String) {
        guard let number, range.contains(number) else {
            let end = range.upperBound == .max ? "" : " to \(range.upperBound)"
            return note(field, "is not a whole number from \(range.lowerBound)\(end)")
        }
    }

    /// Patterns that have been asked for: reading one takes ten times as long as using it. They
    /// are the schemas' own, so there are few.
    private static let expressions = Mutex<[String: Regex<AnyRegexOutput>]>([:])

    /// Reads a schema's pattern. What is not ASCII is given by its number: characters that join the
    /// one before them would not be read as themselves. By characters, CR LF would be one that is
    /// in no range of control characters.
    static func expression(_ pattern: String) throws -> Regex<AnyRegexOutput> {
        let escaped = pattern.unicodeScalars.map { scalar in
            scalar.isASCII ? String(scalar) : "\\u{\(String(scalar.value, radix: 16))}"
        }.joined()
        return try Regex(escaped).matchingSemantics(.unicodeScalar)
    }

    private static func fits(_ text: String, _ pattern: String) -> Bool {
        expressions.withLock { expressions in
            do {
                let known = try expressions[pattern] ?? expression(pattern)
                expressions[pattern] = known
                return try known.wholeMatch(in: text) != nil
            } catch {
                preconditionFailure("the pattern \(pattern) is no regular expression: \(error)")
            }
        }
    }
}

extension Schema {
    /// What it asks for, in words.
    fileprivate var noun: String {
        switch self {
        case .string: "a string"
        case .integer: "a whole number"
        case .number: "a number"
        case .boolean: "true or false"
        case .array: "an array"
        case .object, .map: "an object"
        case .nullable(let inner): "\(inner.noun) or null"
        case .described(let inner, _): inner.noun
        case .named, .oneOf, .any: "a value"
        }
    }
}
