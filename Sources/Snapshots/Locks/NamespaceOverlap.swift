/// Whether two selections of namespaces may have one in common. In doubt they have: two jobs that
/// could have run at once then run one after the other, which harms nobody.
extension NamespaceFilter {
    /// Whether some namespace may be in both.
    func mayOverlap(_ other: NamespaceFilter) -> Bool {
        var budget = OverlapBudget()
        return mayOverlap(other, &budget)
    }

    /// Whether some namespace may be in both; true when the budget does not last to find out.
    func mayOverlap(_ other: NamespaceFilter, _ budget: inout OverlapBudget) -> Bool {
        if let database, let rival = other.database, database != rival { return false }
        let databases = [self, other].compactMap(\.database).map { PatternTokens(database: $0) }
        let excluded = (excluded + other.excluded).map { PatternTokens($0) }
        // An exclusion that covers one of the patterns covers all that is in it and in others.
        func isCovered(_ pattern: PatternTokens) -> Bool {
            excluded.contains { $0.covers(pattern, &budget) }
        }
        if databases.contains(where: isCovered) { return false }
        func fitting(_ patterns: [PatternTokens]) -> [PatternTokens] {
            patterns.filter { pattern in
                databases.allSatisfy { pattern.overlaps($0, &budget) } && !isCovered(pattern)
            }
        }
        let own = fitting(includedTokens)
        let rivals = own.isEmpty ? [] : fitting(other.includedTokens)
        return own.contains { pattern in rivals.contains { pattern.overlaps($0, &budget) } }
    }

    /// Where the namespaces of this selection are, once they are renamed.
    func targets(_ renames: [NamespaceRename]) -> [NamespaceFilter] {
        var own = self
        own.excluded += renames.map(\.from)
        var budget = OverlapBudget()
        let moved = renames.filter {
            mayOverlap(NamespaceFilter(included: [$0.from]), &budget)
        }
        return [own] + moved.map { NamespaceFilter(included: [$0.to]) }
    }

    private var includedTokens: [PatternTokens] {
        included.isEmpty ? [PatternTokens.everything] : included.map { PatternTokens($0) }
    }
}

/// How many steps may be taken to compare selections: a few tens of milliseconds. Beyond, the
/// answer is that they may overlap.
struct OverlapBudget {
    /// What is left.
    private(set) var stepCount: Int

    /// - Parameter stepCount: comparisons of two bytes of patterns.
    init(stepCount: Int = 20_000_000) {
        self.stepCount = stepCount
    }

    /// Takes steps away; false when there are not enough.
    mutating func take(_ count: Int) -> Bool {
        guard stepCount >= count else {
            stepCount = 0
            return false
        }
        stepCount -= count
        return true
    }
}

/// A pattern to be compared with others: its bytes, and an asterisk in the place of any text.
struct PatternTokens {
    private static let asterisk: Int16 = -1
    static let everything = PatternTokens([asterisk])

    private let tokens: [Int16]
    /// How many tokens there are before the first asterisk, and after the last.
    private let prefixCount: Int
    private let suffixCount: Int

    init(_ pattern: NamespacePattern) {
        self.init(pattern.tokens.map { $0.map { Int16($0) } ?? Self.asterisk })
    }

    /// All namespaces of a database.
    init(database name: String) {
        self.init((name + ".").utf8.map { Int16($0) } + [Self.asterisk])
    }

    init(_ tokens: [Int16]) {
        self.tokens = tokens
        prefixCount = tokens.firstIndex(of: Self.asterisk) ?? tokens.count
        suffixCount = tokens.lastIndex(of: Self.asterisk).map { tokens.count - 1 - $0 } ?? 0
    }

    private var hasAsterisk: Bool { prefixCount < tokens.count }

    /// Whether a text fits both patterns; true when the budget does not last.
    ///
    /// Cost: the product of both lengths, but for patterns that begin or end differently.
    func overlaps(_ other: PatternTokens, _ budget: inout OverlapBudget) -> Bool {
        guard budget.take(1) else { return true }
        if beginsDifferently(other, count: min(prefixCount, other.prefixCount), &budget) {
            return false
        }
        if hasAsterisk, other.hasAsterisk,
            endsDifferently(other, count: min(suffixCount, other.suffixCount), &budget)
        {
            return false
        }
        if !hasAsterisk, !other.hasAsterisk { return tokens.count == other.tokens.count }
        guard budget.take((tokens.count + 1) * (other.tokens.count + 1)) else { return true }
        return table(other) { first, second, below, beside, diagonal in
            if first == Self.asterisk { return below || second != nil && beside }
            if second == Self.asterisk { return beside || first != nil && below }
            return first != nil && first == second && diagonal
        }
    }

    /// Whether every text that fits the other pattern fits this one, as far as that can be told by
    /// letting only an asterisk cover an asterisk; false when the budget does not last.
    func covers(_ other: PatternTokens, _ budget: inout OverlapBudget) -> Bool {
        guard budget.take(1), prefixCount <= other.prefixCount, suffixCount <= other.tokens.count,
            hasAsterisk || !other.hasAsterisk && tokens.count == other.tokens.count,
            !beginsDifferently(other, count: prefixCount, &budget)
        else { return false }
        if !hasAsterisk { return budget.take(1) }
        guard budget.take((tokens.count + 1) * (other.tokens.count + 1)) else { return false }
        return table(other) { first, second, below, beside, diagonal in
            if first == Self.asterisk { return below || second != nil && beside }
            return first != nil && first == second && diagonal
        }
    }

    private func beginsDifferently(
        _ other: PatternTokens, count: Int, _ budget: inout OverlapBudget
    ) -> Bool {
        var position = 0
        while position < count, tokens[position] == other.tokens[position] { position += 1 }
        // Without a budget nothing is known of them.
        return budget.take(position) && position < count
    }

    private func endsDifferently(
        _ other: PatternTokens, count: Int, _ budget: inout OverlapBudget
    ) -> Bool {
        let (end, otherEnd) = (tokens.count - 1, other.tokens.count - 1)
        var position = 0
        while position < count, tokens[end - position] == other.tokens[otherEnd - position] {
            position += 1
        }
        return budget.take(position) && position < count
    }

    /// Fills a table from the back: which ends of the one pattern can be left when which ends of
    /// the other are. `rule` gives the value for two places, nil being the end, from those for the
    /// places after them: in this pattern (`below`), in the other (`beside`) and in both.
    private func table(
        _ other: PatternTokens,
        _ rule: (Int16?, Int16?, _ below: Bool, _ beside: Bool, _ diagonal: Bool) -> Bool
    ) -> Bool {
        let (rows, columns) = (tokens.count, other.tokens.count)
        var lower = [Bool](repeating: false, count: columns + 2)
        var current = lower
        for row in (0...rows).reversed() {
            let first = row < rows ? tokens[row] : nil
            for column in (0...columns).reversed() {
                let second = column < columns ? other.tokens[column] : nil
                current[column] =
                    first == nil && second == nil
                    || rule(first, second, lower[column], current[column + 1], lower[column + 1])
            }
            current[columns + 1] = false
            swap(&lower, &current)
        }
        return lower[0]
    }
}
