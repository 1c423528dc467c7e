internal import BSONBytes

/// What a whole document must fulfil.
indirect enum Condition: Sendable {
    case field(FieldPath, FieldCondition)
    case all([Condition])
    case any([Condition])
    case not(Condition)
}

/// What a field must fulfil: each test by some value that the field's path leads to.
indirect enum FieldCondition: Sendable {
    case test(FieldTest)
    case all([FieldCondition])
    case not(FieldCondition)
    /// Nothing does.
    case never
}

/// What one value must fulfil.
enum FieldTest: Sendable {
    /// It compares so with a constant.
    case compares(Comparison, Constant)
    /// It is one of the constants, or matches one of the expressions; `null` is also a missing
    /// field.
    case isOneOf(ConstantList, patterns: [Int])
    /// It is there.
    case exists
    case isOfType(TypeSet)
    /// It is text in which an expression is found, or the expression itself. The number is the
    /// expression's place in the filter's list.
    case matches(pattern: Int)
    case leavesRemainder(divisor: Int64, remainder: Int64)
    case hasBits(BitTest)
    /// It is an array of so many elements.
    case hasCount(Int64)
    /// It is an array with a document (or an array, taken as one) that fulfils the condition.
    case hasDocument(Condition)
    /// It is an array with an element that by itself fulfils all conditions.
    case hasElement([FieldCondition])

    /// Whether an array at a path's end is divided into its elements.
    var dividesArrays: Bool {
        switch self {
        case .hasCount, .hasDocument, .hasElement: false
        default: true
        }
    }
}

/// How a value compares with a constant.
enum Comparison: Sendable {
    case equal, less, lessOrEqual, greater, greaterOrEqual

    /// Whether it includes equality.
    var includesEqual: Bool { self == .equal || self == .lessOrEqual || self == .greaterOrEqual }
    /// Whether it includes smaller values.
    var includesLess: Bool { self == .less || self == .lessOrEqual }
    /// Whether it includes larger values.
    var includesGreater: Bool { self == .greater || self == .greaterOrEqual }
}

/// A value of a filter.
struct Constant: Sendable {
    let value: BSONValue
    /// The number it is, if it is one.
    let number: ComparableNumber?
    /// The place of its type's class in the order of values.
    let classNumber: Int

    init(_ value: BSONValue) {
        self.value = value
        number = value.comparableNumber
        classNumber = ValueOrder.classNumber(value.type)
    }

    /// Whether a field's value compares so with it; nil is a field that is missing.
    ///
    /// Values of another class do not, but for null, which missing and undefined fields are equal
    /// to, and for the ends of the order.
    /// - Throws: `BSONError` when an element of a nested document does not fit.
    func isMet(_ comparison: Comparison, by found: RawValue?) throws(BSONError) -> Bool {
        let foundClass = found.map { ValueOrder.classNumber($0.type) } ?? 0
        guard let found, foundClass == classNumber else {
            if foundClass + classNumber == 5 { return comparison.includesEqual }
            return comparison.includesLess && value.type == .maxKey
                || comparison.includesGreater && value.type == .minKey
        }
        if let number, let other = ComparableNumber(found), number.isNaN || other.isNaN {
            return number.isNaN && other.isNaN && comparison.includesEqual
        }
        let order = try order(of: found)
        return order == 0
            ? comparison.includesEqual
            : order < 0 ? comparison.includesLess : comparison.includesGreater
    }

    /// Below zero when a value comes before the constant, zero when both are equal.
    ///
    /// - Throws: `BSONError` when an element of a nested document does not fit.
    func order(of found: RawValue) throws(BSONError) -> Int {
        if let number, let other = ComparableNumber(found) { return other.order(number) }
        return try value.withRawValue { constant throws(BSONError) in
            try ValueOrder.order(found, constant)
        }
    }
}

/// The values that `$in` lists, in their order, so that one is found in few comparisons.
struct ConstantList: Sendable {
    let constants: [Constant]
    /// Whether null is among them, which missing and undefined fields are equal to.
    let hasNull: Bool

    /// Whether it holds a value; nil is a field that is missing.
    ///
    /// - Throws: `BSONError` when an element of a nested document does not fit.
    func contains(_ value: RawValue?) throws(BSONError) -> Bool {
        guard let value, value.type != .undefined else { return hasNull }
        return try place(of: value).isEqual
    }

    /// Values in any order.
    ///
    /// - Throws: `BSONError` when an element of a nested document does not fit.
    init(_ constants: [Constant]) throws(BSONError) {
        self.constants = try Self.sorted(constants[...])
        hasNull = constants.contains { $0.value.type == .null }
    }

    /// In order, equal ones once: halves are sorted and merged.
    private static func sorted(_ constants: ArraySlice<Constant>) throws(BSONError) -> [Constant] {
        guard constants.count > 1 else { return Array(constants) }
        let middle = constants.startIndex + constants.count / 2
        var left = try sorted(constants[..<middle])[...]
        var right = try sorted(constants[middle...])[...]
        var merged: [Constant] = []
        merged.reserveCapacity(constants.count)
        while let first = left.first, let second = right.first {
            let order = try second.value.withRawValue { value throws(BSONError) in
                try first.order(of: value)
            }
            // Below zero when the second comes before the first.
            if order >= 0 { merged.append(first) }
            if order >= 0 { left = left.dropFirst() }
            if order < 0 { merged.append(second) }
            if order <= 0 { right = right.dropFirst() }
        }
        return merged + left + right
    }

    private func place(of value: RawValue) throws(BSONError) -> (index: Int, isEqual: Bool) {
        var candidates = constants.startIndex..<constants.endIndex
        while !candidates.isEmpty {
            let middle = candidates.lowerBound + candidates.count / 2
            let order = try constants[middle].order(of: value)
            if order == 0 { return (middle, true) }
            candidates =
                order < 0 ? candidates.lowerBound..<middle : middle + 1..<candidates.upperBound
        }
        return (candidates.lowerBound, false)
    }
}
