internal import GRDB

/// The conditions of a query, all of which must hold. Values are arguments, never part of the SQL.
struct QueryConditions {
    private var clauses: [String] = []
    private(set) var arguments = StatementArguments()

    /// `WHERE …`, or nothing.
    var sql: String { clauses.isEmpty ? "" : "WHERE " + clauses.joined(separator: " AND ") }

    /// A column must have a value, unless that is nil.
    ///
    /// - Throws: `StateError(.invalidValue)`.
    mutating func require(_ column: String, equals value: String?) throws {
        guard let value = try storable(value, as: column) else { return }
        add("\(column) = ?", [value])
    }

    /// A column must be in a range that does not include its end; nil is no limit.
    mutating func require(_ column: String, from first: Int64?, before end: Int64?) {
        if let first { add("\(column) >= ?", [first]) }
        if let end { add("\(column) < ?", [end]) }
    }

    /// Adds a condition.
    mutating func add(_ clause: String, _ values: StatementArguments) {
        clauses.append(clause)
        arguments += values
    }
}
