internal import BSONBytes

/// Reads a filter's document.
struct FilterParser {
    /// The regular expressions so far; conditions name them by their place.
    private(set) var patterns: [TextPattern] = []

    /// Where in the filter the parser is.
    struct Place {
        private(set) var text = ""
        private(set) var depth = 0

        /// The place of a member.
        func inside(_ name: String) -> Place {
            var place = self
            place.text += (text.isEmpty ? "" : ".") + name
            place.depth += 1
            return place
        }

        /// The place of an array's element.
        func inside(_ position: Int) -> Place {
            var place = self
            place.text += "[\(position)]"
            return place
        }

        /// A mistake here.
        func error(_ code: QueryError.Code, _ message: String) -> QueryError {
            QueryError(code, message, at: text)
        }

        /// A value here that its operator does not take.
        func error(_ message: String) -> QueryError { error(.badValue, message) }
    }

    /// Reads a document of fields and logical operators: all of it must be fulfilled.
    ///
    /// - Throws: `QueryError`.
    mutating func condition(
        _ document: BSONDocument, at place: Place
    ) throws(QueryError) -> Condition {
        guard place.depth <= DocumentFilter.depthMax else {
            throw place.error(
                .nestedTooDeep, "is nested deeper than \(DocumentFilter.depthMax) levels")
        }
        var conditions: [Condition] = []
        for element in try Self.elements(document, place) {
            let name = element.name
            let here = place.inside(name)
            guard name.utf8.first == UInt8(ascii: "$") else {
                let path = FieldPath(name)
                conditions.append(.field(path, try fieldCondition(element.value, at: here)))
                continue
            }
            switch name {
            case "$and": conditions.append(.all(try branches(element.value, at: here)))
            case "$or": conditions.append(.any(try branches(element.value, at: here)))
            case "$nor": conditions.append(.not(.any(try branches(element.value, at: here))))
            case "$comment": break
            default: throw Self.refusal(of: name, at: here)
            }
        }
        return conditions.count == 1 ? conditions[0] : .all(conditions)
    }

    private mutating func branches(
        _ value: BSONValue, at place: Place
    ) throws(QueryError) -> [Condition] {
        let values = try Self.array(value, place, "takes an array of filters")
        guard !values.isEmpty else { throw place.error("needs at least one filter") }
        var conditions: [Condition] = []
        for (position, value) in values.enumerated() {
            let here = place.inside(position)
            guard let document = value.document else { throw here.error("is not a filter") }
            conditions.append(try condition(document, at: here))
        }
        return conditions
    }

    // MARK: Fields

    /// What stands behind a field's name: operators, an expression to be found, or a value to be
    /// equal to.
    mutating func fieldCondition(
        _ value: BSONValue, at place: Place
    ) throws(QueryError) -> FieldCondition {
        if let document = try Self.operators(value, place) {
            return try fieldCondition(operators: document, at: place)
        }
        return .test(try equalityOrPattern(value, at: place))
    }

    /// A value to be equal to, or an expression to be found.
    mutating func equalityOrPattern(
        _ value: BSONValue, at place: Place
    ) throws(QueryError) -> FieldTest {
        guard value.type == .regularExpression else {
            return .compares(.equal, try Self.constant(value, at: place))
        }
        return .matches(pattern: try pattern(value, at: place))
    }

    /// A document of operators: all of them must be fulfilled.
    mutating func fieldCondition(
        operators document: BSONDocument, at place: Place
    ) throws(QueryError) -> FieldCondition {
        guard place.depth <= DocumentFilter.depthMax else {
            throw place.error(
                .nestedTooDeep, "is nested deeper than \(DocumentFilter.depthMax) levels")
        }
        let elements = try Self.elements(document, place)
        var conditions: [FieldCondition] = []
        for element in elements {
            let here = place.inside(element.name)
            switch element.name {
            case "$regex":
                guard elements.count(where: { $0.name == "$regex" }) == 1 else {
                    throw here.error("is given twice")
                }
                let options = elements.first { $0.name == "$options" }?.value
                conditions.append(
                    .test(.matches(pattern: try pattern(element.value, options, at: here))))
            case "$options":
                guard elements.contains(where: { $0.name == "$regex" }) else {
                    throw here.error("needs a $regex beside it")
                }
            case "$comment": break
            default:
                conditions.append(try fieldCondition(element.name, element.value, at: here))
            }
        }
        return conditions.count == 1 ? conditions[0] : .all(conditions)
    }

    // MARK: Regular expressions

    /// Takes note of an expression and gives its place in the list.
    mutating func pattern(
        _ value: BSONValue, _ options: BSONValue? = nil, at place: Place
    ) throws(QueryError) -> Int {
        var text = ""
        var letters = ""
        if value.type == .regularExpression {
            let parts = value.bytes.split(separator: 0, omittingEmptySubsequences: false)
            text = String(decoding: parts[0], as: UTF8.self)
            letters = String(decoding: parts[1], as: UTF8.self)
        } else if let string = value.string {
            text = string
        } else {
            throw place.error("takes a regular expression or a string")
        }
        if let options {
            guard let string = options.string else {
                throw place.error("has $options that are no string")
            }
            guard letters.isEmpty else { throw place.error("has options twice") }
            letters = string
        }
        guard !text.utf8.contains(0), !letters.utf8.contains(0) else {
            throw place.error("holds a zero byte")
        }
        do throws(TextPattern.Unreadable) {
            patterns.append(try TextPattern(text, options: letters))
        } catch {
            throw place.error(error.reason)
        }
        return patterns.count - 1
    }

    // MARK: Values

    /// A value to compare with.
    static func constant(_ value: BSONValue, at place: Place) throws(QueryError) -> Constant {
        guard value.type != .undefined else {
            throw place.error("compares with undefined, which servers refuse")
        }
        return Constant(value)
    }

    /// A document whose first name is an operator; nil for a value that is meant as it is, also for
    /// a reference such as `{$ref: "users", $id: 1}`.
    ///
    /// - Parameter partial: whether one of a reference's names is enough to make it one.
    static func operators(
        _ value: BSONValue, _ place: Place, partial: Bool = false
    ) throws(QueryError) -> BSONDocument? {
        guard let document = value.document else { return nil }
        let names = try elements(document, place).map(\.name)
        guard names.first?.utf8.first == UInt8(ascii: "$") else { return nil }
        let isReference =
            partial
            ? names.contains { ["$ref", "$id", "$db"].contains($0) }
            : names.contains("$ref") && names.contains("$id")
        return isReference ? nil : document
    }

    /// The values of an array.
    static func array(
        _ value: BSONValue, _ place: Place, _ message: String
    ) throws(QueryError) -> [BSONValue] {
        let values: [BSONValue]?
        do throws(BSONError) { values = try value.array() } catch {
            throw place.error("is damaged")
        }
        guard let values else { throw place.error(message) }
        return values
    }

    /// The elements of a document.
    static func elements(
        _ document: BSONDocument, _ place: Place
    ) throws(QueryError) -> [BSONElement] {
        do throws(BSONError) { return try document.elements() } catch {
            throw place.error("is damaged: \(error.message)")
        }
    }

    /// What is said of an operator that is not known in its place.
    static func refusal(of name: String, at place: Place) -> QueryError {
        let known = [
            "$expr", "$where", "$text", "$jsonSchema", "$geoWithin", "$geoIntersects", "$near",
            "$nearSphere", "$within", "$geoNear", "$alwaysTrue", "$alwaysFalse", "$sampleRate",
        ]
        if known.contains(name) {
            return place.error(
                .unsupported, "is not supported; compare fields with values instead")
        }
        return place.error(.unknownOperator, "is not an operator that is allowed here")
    }
}
