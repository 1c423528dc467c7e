/// Whether two selections of namespaces may have one in common. In doubt they have: two jobs that
/// could have run at once then run one after the other, which harms nobody.
extension NamespaceFilter {
    /// Whether some namespace may be in both.
    func mayOverlap(_ other: NamespaceFilter) -> Bool {
        if let database, let rival = other.database, database != rival { return false }
        let databases = [self, other].compactMap(\.database).map(Self.tokens(ofDatabase:))
        let excluded = (excluded + other.excluded).map(\.tokens)
        for own in includedTokens {
            for rival in other.includedTokens {
                let parts = [own, rival] + databases
                guard Self.allOverlap(parts) else { continue }
                let isExcluded = excluded.contains { excluded in
                    parts.contains { Self.covers(excluded, $0) }
                }
                if !isExcluded { return true }
            }
        }
        return false
    }

    /// Where the namespaces of this selection are, once they are renamed.
    func targets(_ renames: [NamespaceRename]) -> [NamespaceFilter] {
        var own = self
        own.excluded += renames.map(\.from)
        let moved = renames.filter { mayOverlap(NamespaceFilter(included: [$0.from])) }
        return [own] + moved.map { NamespaceFilter(included: [$0.to]) }
    }

    private var includedTokens: [[UInt8?]] {
        included.isEmpty ? [[nil]] : included.map(\.tokens)
    }

    private static func tokens(ofDatabase name: String) -> [UInt8?] {
        name.utf8.map(Optional.some) + [UInt8(ascii: "."), nil]
    }

    private static func allOverlap(_ patterns: [[UInt8?]]) -> Bool {
        patterns.indices.allSatisfy { first in
            patterns[(first + 1)...].allSatisfy { overlap(patterns[first], $0) }
        }
    }

    /// Whether a text fits both patterns: which ends of the one can be left when which ends of the
    /// other are, from the back, a row at a time.
    ///
    /// Cost: the product of their lengths.
    static func overlap(_ left: [UInt8?], _ right: [UInt8?]) -> Bool {
        table(left, right) { first, second, below, beside, diagonal in
            switch (first, second) {
            case (.token(nil), .end), (.token(nil), .token): below || (second.isToken && beside)
            case (.end, .token(nil)), (.token, .token(nil)): beside || (first.isToken && below)
            case (.token(let one), .token(let other)): one == other && diagonal
            default: false
            }
        }
    }

    /// Whether every text that fits `pattern` fits `cover`, as far as that can be told by letting
    /// only an asterisk stand for an asterisk.
    static func covers(_ cover: [UInt8?], _ pattern: [UInt8?]) -> Bool {
        table(cover, pattern) { first, second, below, beside, diagonal in
            switch (first, second) {
            case (.token(nil), _): below || (second.isToken && beside)
            case (.token(let one), .token(let other)): one == other && diagonal
            default: false
            }
        }
    }

    /// A place in a pattern.
    private enum Place {
        case token(UInt8?)
        case end

        var isToken: Bool {
            if case .token = self { return true }
            return false
        }
    }

    /// Fills a table from the back. `rule` tells the value for two places from those for the places
    /// behind: of the first pattern (`below`), of the second (`beside`) and of both.
    private static func table(
        _ left: [UInt8?], _ right: [UInt8?],
        _ rule: (Place, Place, _ below: Bool, _ beside: Bool, _ diagonal: Bool) -> Bool
    ) -> Bool {
        var lower = [Bool](repeating: false, count: right.count + 2)
        for row in (0...left.count).reversed() {
            var current = [Bool](repeating: false, count: right.count + 2)
            let first = row < left.count ? Place.token(left[row]) : .end
            for column in (0...right.count).reversed() {
                let second = column < right.count ? Place.token(right[column]) : .end
                let isEnd = !first.isToken && !second.isToken
                current[column] =
                    isEnd
                    || rule(first, second, lower[column], current[column + 1], lower[column + 1])
            }
            lower = current
        }
        return lower[0]
    }
}
