internal import BSONBytes

/// The operators behind a field's name.
extension FilterParser {
    /// Reads one operator; `$regex` is read with the `$options` beside it, elsewhere.
    ///
    /// - Throws: `QueryError`.
    mutating func fieldCondition(
        _ name: String, _ value: BSONValue, at place: Place
    ) throws(QueryError) -> FieldCondition {
        switch name {
        case "$eq": return .test(.compares(.equal, try Self.constant(value, at: place)))
        case "$ne":
            guard value.type != .regularExpression else {
                throw place.error("takes no regular expression; use $not")
            }
            return .not(.test(.compares(.equal, try Self.constant(value, at: place))))
        case "$gt": return try order(.greater, value, at: place)
        case "$gte": return try order(.greaterOrEqual, value, at: place)
        case "$lt": return try order(.less, value, at: place)
        case "$lte": return try order(.lessOrEqual, value, at: place)
        case "$in": return .test(try list(value, at: place))
        case "$nin": return .not(.test(try list(value, at: place)))
        case "$exists":
            return Self.isTrue(value) ? .test(.exists) : .not(.test(.exists))
        case "$type":
            do throws(TypeSet.Unknown) { return .test(.isOfType(try TypeSet(value))) } catch {
                throw place.error(error.reason)
            }
        case "$mod": return .test(try remainder(value, at: place))
        case "$size":
            guard let count = value.exactInteger, count >= 0 else {
                throw place.error("takes a whole number from 0 on")
            }
            return .test(.hasCount(count))
        case "$all": return try all(value, at: place)
        case "$elemMatch": return .test(try element(value, at: place))
        case "$not": return try negation(value, at: place)
        case "$bitsAllSet": return .test(try bits(.allSet, value, at: place))
        case "$bitsAllClear": return .test(try bits(.allClear, value, at: place))
        case "$bitsAnySet": return .test(try bits(.anySet, value, at: place))
        case "$bitsAnyClear": return .test(try bits(.anyClear, value, at: place))
        default: throw Self.refusal(of: name, at: place)
        }
    }

    private func order(
        _ comparison: Comparison, _ value: BSONValue, at place: Place
    ) throws(QueryError) -> FieldCondition {
        guard value.type != .regularExpression else {
            throw place.error("takes no regular expression")
        }
        return .test(.compares(comparison, try Self.constant(value, at: place)))
    }

    /// As a server has it: everything but false, a zero, null and undefined is true.
    private static func isTrue(_ value: BSONValue) -> Bool {
        if let number = value.comparableNumber { return number.order(.whole(0)) != 0 }
        return value.bool ?? ![.null, .undefined].contains(value.type)
    }

    private mutating func list(
        _ value: BSONValue, at place: Place
    ) throws(QueryError) -> FieldTest {
        var constants: [Constant] = []
        var expressions: [Int] = []
        let values = try Self.array(value, place, "takes an array")
        for (position, value) in values.enumerated() {
            let here = place.inside(position)
            if value.type == .regularExpression {
                expressions.append(try pattern(value, at: here))
                continue
            }
            guard try Self.operators(value, here) == nil else {
                throw here.error("is an operator, but only values are allowed here")
            }
            constants.append(try Self.constant(value, at: here))
        }
        do throws(BSONError) {
            return .isOneOf(try ConstantList(constants), patterns: expressions)
        } catch {
            throw place.error("is damaged")
        }
    }

    private func remainder(
        _ value: BSONValue, at place: Place
    ) throws(QueryError) -> FieldTest {
        let message = "takes two numbers, [divisor, remainder]"
        let numbers = try Self.array(value, place, message).map { $0.comparableNumber?.truncated }
        guard numbers.count == 2, let divisor = numbers[0], let remainder = numbers[1] else {
            throw place.error(message)
        }
        guard divisor != 0 else { throw place.error("can't divide by zero") }
        return .leavesRemainder(divisor: divisor, remainder: remainder)
    }

    private mutating func all(
        _ value: BSONValue, at place: Place
    ) throws(QueryError) -> FieldCondition {
        let values = try Self.array(value, place, "takes an array")
        guard !values.isEmpty else { return .never }
        var matchesElements: Bool?
        var conditions: [FieldCondition] = []
        for (position, value) in values.enumerated() {
            let here = place.inside(position)
            let operators = try Self.operators(value, here)
            let first = try operators.flatMap { document throws(QueryError) in
                try Self.elements(document, here).first
            }
            let isElement = first?.name == "$elemMatch"
            guard operators == nil || isElement else {
                throw here.error("is an operator; only $elemMatch is allowed here")
            }
            guard isElement == matchesElements ?? isElement else {
                throw here.error("must be $elemMatch like the others, or none of them")
            }
            matchesElements = isElement
            if isElement, let first {
                conditions.append(
                    .test(try element(first.value, at: here.inside("$elemMatch"))))
            } else {
                conditions.append(.test(try equalityOrPattern(value, at: here)))
            }
        }
        return .all(conditions)
    }

    /// Conditions for an element itself when it begins with an operator for values, else a filter
    /// for elements that are documents.
    private mutating func element(
        _ value: BSONValue, at place: Place
    ) throws(QueryError) -> FieldTest {
        guard let document = value.document else {
            throw place.error("takes a filter or operators")
        }
        let first = try Self.operators(value, place, partial: true).flatMap {
            document throws(QueryError) in
            try Self.elements(document, place).first?.name
        }
        let logical = ["$and", "$or", "$nor", "$expr", "$where", "$text", "$jsonSchema"]
        guard let first, !logical.contains(first) else {
            return .hasDocument(try condition(document, at: place))
        }
        return .hasElement([try fieldCondition(operators: document, at: place)])
    }

    private mutating func negation(
        _ value: BSONValue, at place: Place
    ) throws(QueryError) -> FieldCondition {
        if value.type == .regularExpression {
            return .not(.test(.matches(pattern: try pattern(value, at: place))))
        }
        guard let document = value.document, !document.isEmpty else {
            throw place.error("takes operators or a regular expression")
        }
        return .not(try fieldCondition(operators: document, at: place))
    }

    private func bits(
        _ kind: BitTest.Kind, _ value: BSONValue, at place: Place
    ) throws(QueryError) -> FieldTest {
        let positions: [Int]
        if let number = value.exactInteger {
            guard number >= 0 else { throw place.error("takes no negative number") }
            positions = (0..<63).filter { number >> $0 & 1 == 1 }
        } else if let (_, payload) = value.binary {
            positions = payload.enumerated().flatMap { offset, byte in
                (0..<8).filter { byte >> $0 & 1 == 1 }.map { offset * 8 + $0 }
            }
        } else {
            let message = "takes a whole number, binary data, or an array of positions"
            positions = try Self.array(value, place, message).map { value throws(QueryError) in
                guard let position = value.exactInteger,
                    (0...BitTest.positionMax).contains(position)
                else { throw place.error("takes positions of bits from 0 on") }
                return Int(position)
            }
        }
        return .hasBits(BitTest(kind, positions: positions))
    }
}
