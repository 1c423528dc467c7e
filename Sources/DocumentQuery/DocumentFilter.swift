public import BSONBytes

/// A filter of MongoDB's query language, read and found to be one that can be evaluated.
///
/// What matches is what a server's `find` would return without a collation. Not evaluated, and
/// refused: `$expr`, `$where`, `$text`, `$jsonSchema` and what is about places on the earth.
public struct DocumentFilter: Sendable {
    /// Operators within operators.
    public static let depthMax = 100

    let condition: Condition
    private let patterns: [TextPattern]

    /// Reads a filter such as `{age: {$gt: 21}}`; the empty document matches everything.
    ///
    /// - Throws: `QueryError`, with the place in the filter.
    public init(_ document: BSONDocument) throws(QueryError) {
        var parser = FilterParser()
        condition = try parser.condition(document, at: FilterParser.Place())
        patterns = parser.patterns
    }

    /// What tells which documents match: a new one for each task.
    public func matcher() -> DocumentMatcher {
        DocumentMatcher(
            condition,
            patterns.map { pattern in
                do throws(TextPattern.Unreadable) {
                    return (pattern, try pattern.compiled())
                } catch {
                    preconditionFailure("the expression was read before: \(error.reason)")
                }
            })
    }

    /// Whether a document may match whose `_id` has a key in that range. False is certain; true is
    /// answered also for what no key tells.
    public func mayMatch(idsIn keys: ClosedRange<DocumentKey>) -> Bool {
        condition.mayHold(idsIn: keys)
    }

}
