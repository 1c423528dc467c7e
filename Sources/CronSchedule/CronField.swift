/// One of the five places of an expression: which numbers and names it may hold.
enum CronField: CaseIterable {
    /// In the order in which they are written.
    case minute, hour, dayOfMonth, month, dayOfWeek

    /// What people call it.
    var name: String {
        switch self {
        case .minute: "minute"
        case .hour: "hour"
        case .dayOfMonth: "day of month"
        case .month: "month"
        case .dayOfWeek: "day of week"
        }
    }

    /// The numbers that may be written. Sunday is 0, and 7 as well.
    var range: ClosedRange<Int> {
        switch self {
        case .minute: 0...59
        case .hour: 0...23
        case .dayOfMonth: 1...31
        case .month: 1...12
        case .dayOfWeek: 0...7
        }
    }

    /// What `*` stands for: each value once.
    private var values: ClosedRange<Int> { self == .dayOfWeek ? 0...6 : range }

    /// Three letters each, the first for the lowest number.
    private var names: [String] {
        switch self {
        case .month:
            ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
        case .dayOfWeek: ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
        default: []
        }
    }

    /// Reads a field: a list of `*`, numbers, names and ranges, the latter and `*` with a step.
    ///
    /// - Returns: a set with bit n for the value n; Sunday is bit 0.
    /// - Throws: `CronError` of the code `field`.
    func parse(_ text: Substring) throws(CronError) -> UInt64 {
        var set: UInt64 = 0
        for item in text.split(separator: ",", omittingEmptySubsequences: false) {
            set |= try self.item(item)
        }
        return self == .dayOfWeek ? (set | set >> 7) & 0x7F : set
    }

    private func item(_ text: Substring) throws(CronError) -> UInt64 {
        guard !text.isEmpty else { throw failure("a value is missing beside a comma") }
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count <= 2 else { throw failure("\"\(text)\" has more than one step") }
        let range = try self.range(parts[0])
        guard parts.count == 2 else { return Self.set(range, step: 1) }
        guard parts[0] == "*" || parts[0].contains("-") else {
            throw failure("\"\(text)\": a step needs a range or * before it")
        }
        guard let step = Self.number(parts[1]), step > 0 else {
            throw failure("\"\(parts[1])\" is no step, which is a number from 1 on")
        }
        guard step <= values.upperBound else {
            throw failure("the step \(step) goes beyond \(values.upperBound)")
        }
        return Self.set(range, step: step)
    }

    private func range(_ text: Substring) throws(CronError) -> ClosedRange<Int> {
        if text == "*" { return values }
        let ends = text.split(separator: "-", omittingEmptySubsequences: false)
        guard ends.count <= 2, ends.count == 1 || !ends.contains("") else {
            throw failure("\"\(text)\" is no range")
        }
        let first = try value(ends[0])
        guard ends.count == 2 else { return first...first }
        var last = try value(ends[1])
        // A week that begins on Monday ends on this one.
        if self == .dayOfWeek, last == 0, first > 0 { last = 7 }
        guard first <= last else {
            throw failure("\"\(text)\" ends before it begins; write it as two ranges")
        }
        return first...last
    }

    private func value(_ text: Substring) throws(CronError) -> Int {
        if let position = names.firstIndex(of: text.lowercased()) {
            return range.lowerBound + position
        }
        guard let number = Self.number(text) else {
            throw failure("\"\(text)\" is not a number\(names.isEmpty ? "" : " or a name")")
        }
        guard range.contains(number) else {
            throw failure("\(number) is not from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    /// Up to four digits and nothing else: no sign, no other script's digits.
    private static func number(_ text: Substring) -> Int? {
        guard (1...4).contains(text.utf8.count), text.utf8.allSatisfy({ (48...57).contains($0) })
        else { return nil }
        return Int(text)
    }

    private static func set(_ range: ClosedRange<Int>, step: Int) -> UInt64 {
        stride(from: range.lowerBound, through: range.upperBound, by: step)
            .reduce(0) { $0 | 1 << UInt64($1) }
    }

    private func failure(_ message: String) -> CronError {
        CronError(.field, message, field: name)
    }
}
