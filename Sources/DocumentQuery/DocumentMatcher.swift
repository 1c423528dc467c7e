internal import BSONBytes

/// Tells which documents match a filter, by the bytes of the fields that it names. Used by one
/// task; `DocumentFilter.matcher()` makes one for each.
public struct DocumentMatcher {
    private let condition: Condition
    private let patterns: [(source: TextPattern, compiled: CompiledPattern)]

    init(_ condition: Condition, _ patterns: [(source: TextPattern, compiled: CompiledPattern)]) {
        self.condition = condition
        self.patterns = patterns
    }

    /// Whether a document matches.
    ///
    /// Cost: for each field named, a walk over the elements up to it; no value is copied.
    /// - Parameter document: framed, as `BSONFraming` checks it.
    /// - Throws: `BSONError` when an element on the way does not fit it; `QueryError` with
    ///   `tooExpensive` when a regular expression can't tell; `CancellationError`.
    public func matches(_ document: UnsafeRawBufferPointer) throws -> Bool {
        let doesMatch = try matches(document, condition)
        for pattern in patterns {
            if let failure = pattern.compiled.failure { throw failure }
        }
        return doesMatch
    }

    private func matches(
        _ document: UnsafeRawBufferPointer, _ condition: Condition
    ) throws(BSONError) -> Bool {
        switch condition {
        case .field(let path, let condition): return try matches(document, path, condition)
        case .all(let conditions):
            for condition in conditions {
                guard try matches(document, condition) else { return false }
            }
            return true
        case .any(let conditions):
            for condition in conditions {
                if try matches(document, condition) { return true }
            }
            return false
        case .not(let condition): return try !matches(document, condition)
        }
    }

    /// Each test may be passed by another value that the path leads to.
    private func matches(
        _ document: UnsafeRawBufferPointer, _ path: FieldPath, _ condition: FieldCondition
    ) throws(BSONError) -> Bool {
        switch condition {
        case .test(let test):
            return try path.leads(in: document, dividing: test.dividesArrays) {
                value throws(BSONError) in
                try passes(value, test)
            }
        case .all(let conditions):
            for condition in conditions {
                guard try matches(document, path, condition) else { return false }
            }
            return true
        case .not(let condition): return try !matches(document, path, condition)
        case .never: return false
        }
    }

    /// All of it by this one value.
    private func passes(
        _ value: RawValue?, _ condition: FieldCondition
    ) throws(BSONError) -> Bool {
        switch condition {
        case .test(let test): return try passes(value, test)
        case .all(let conditions):
            for condition in conditions {
                guard try passes(value, condition) else { return false }
            }
            return true
        case .not(let condition): return try !passes(value, condition)
        case .never: return false
        }
    }

    // MARK: One test

    private func passes(_ value: RawValue?, _ test: FieldTest) throws(BSONError) -> Bool {
        if case .compares(let comparison, let constant) = test {
            return try constant.isMet(comparison, by: value)
        }
        if case .isOneOf(let constants, let patterns) = test {
            return try constants.contains(value) || patterns.contains { finds($0, in: value) }
        }
        guard let value else { return false }
        switch test {
        case .compares, .isOneOf, .exists: return true
        case .isOfType(let types): return types.contains(value.type)
        case .matches(let pattern): return finds(pattern, in: value)
        case .leavesRemainder(let divisor, let remainder):
            guard let dividend = ComparableNumber(value)?.truncated else { return false }
            // The smallest number divided by -1 leaves nothing, but overflows.
            return (divisor == -1 ? 0 : dividend % divisor) == remainder
        case .hasBits(let bits): return bits.passes(value)
        case .hasCount(let count): return try hasCount(value, count)
        case .hasDocument(let condition):
            return try hasElement(value) { element throws(BSONError) in
                guard element.type == .document || element.type == .array else { return false }
                return try matches(element.bytes, condition)
            }
        case .hasElement(let conditions):
            return try hasElement(value) { element throws(BSONError) in
                try passes(element, .all(conditions))
            }
        }
    }

    private func finds(_ pattern: Int, in value: RawValue?) -> Bool {
        guard let value else { return false }
        switch value.type {
        case .string, .symbol: return patterns[pattern].compiled.isFound(in: value.text)
        case .regularExpression:
            let source = patterns[pattern].source
            let bytes = Array(source.text.utf8) + [0] + Array(source.options.utf8) + [0]
            return value.bytes.elementsEqual(bytes)
        default: return false
        }
    }

    private func hasCount(_ value: RawValue, _ count: Int64) throws(BSONError) -> Bool {
        guard value.type == .array else { return false }
        var elements = RawElementReader(value.bytes)
        var found: Int64 = 0
        while try elements.next() != nil { found += 1 }
        return found == count
    }

    private func hasElement(
        _ value: RawValue, _ test: (RawValue) throws(BSONError) -> Bool
    ) throws(BSONError) -> Bool {
        guard value.type == .array else { return false }
        var elements = RawElementReader(value.bytes)
        while let (_, element) = try elements.next() {
            if try test(element) { return true }
        }
        return false
    }
}
