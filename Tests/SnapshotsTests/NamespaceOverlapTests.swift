import ArchiveFormat
import SampleData
import Testing

@testable import Snapshots

/// Whether two selections may have a namespace in common.
@Suite struct NamespaceOverlapTests {
    private static let patterns = [
        "*", "a.*", "*.a", "a.b", "ab.*", "a*.b", "*a.b*", "a.*b", "b.*a*", "a.b.*", "*.*", "a.aa",
    ]

    private static let names: [String] = {
        let words = ["a", "b", "ab", "ba", "aa", "bb", "aba", "b.a", "b.b", "a.b"]
        return words.flatMap { first in words.map { "\(first).\($0)" } }
    }()

    private static func overlap(_ first: NamespacePattern, _ second: NamespacePattern) -> Bool {
        var budget = OverlapBudget()
        return PatternTokens(first).overlaps(PatternTokens(second), &budget)
    }

    private static func covers(_ first: NamespacePattern, _ second: NamespacePattern) -> Bool {
        var budget = OverlapBudget()
        return PatternTokens(first).covers(PatternTokens(second), &budget)
    }

    /// Against all names of a small world: what overlaps there overlaps, and what is said to cover
    /// covers.
    @Test func agreesWithASmallWorld() throws {
        for first in Self.patterns {
            for second in Self.patterns {
                let (left, right) = (try NamespacePattern(first), try NamespacePattern(second))
                let both = Self.names.filter { left.matches($0) && right.matches($0) }
                let overlap = Self.overlap(left, right)
                if !both.isEmpty { #expect(overlap, "\(first) \(second)") }
                #expect(overlap == Self.overlap(right, left))
                if Self.covers(left, right) {
                    let rest = Self.names.filter { right.matches($0) && !left.matches($0) }
                    #expect(rest == [], "\(first) covers \(second)")
                }
            }
        }
    }

    @Test(arguments: [
        ("a.*", "b.*", false), ("a.*", "*.b", true), ("*a.x", "*b.x", false),
        ("*a*.x", "b*.x", true), ("shop.o*s", "shop.*d*", true), ("a.b", "a.b", true),
        ("a.b", "a.bc", false), ("*", "q.r", true), (#"a.\*"#, "a.b", false),
    ])
    func isFound(_ first: String, _ second: String, _ expected: Bool) throws {
        #expect(
            try Self.overlap(NamespacePattern(first), NamespacePattern(second)) == expected)
    }

    // MARK: Whole selections

    /// All texts of a few letters: enough to hold what any two of the patterns below have in
    /// common.
    private static let world: [Namespace] = {
        var texts = ["a", "b"]
        for _ in 0..<5 { texts += texts.flatMap { text in ["a", "b", "."].map { text + $0 } } }
        return Set(texts.filter { $0.utf8.count <= 5 }).compactMap { Namespace(parsing: $0) }
    }()

    private static func filter(_ random: inout SplitMix64) -> NamespaceFilter {
        func patterns(_ countMax: Int) -> [NamespacePattern] {
            (0..<random.below(countMax + 1)).compactMap { _ in
                let letters = ["a", "b", ".", "*", "*"]
                let text = (0...random.below(3)).map { _ in letters[random.below(5)] }.joined()
                return try? NamespacePattern(text)
            }
        }
        let database = [nil, nil, "a", "b", "ab"][random.below(5)]
        return NamespaceFilter(
            database: database, included: patterns(3), excluded: patterns(2))
    }

    /// "They do not overlap" is never said of two that have something in common, with any budget.
    @Test(arguments: [UInt64.random(in: 0 ... .max)])
    func whatHasSomethingInCommonOverlaps(seed: UInt64) {
        print("NamespaceOverlapTests: seed \(seed)")
        var random = SplitMix64(seed: seed)
        var apartCount = 0
        for _ in 0..<300 {
            let (left, right) = (Self.filter(&random), Self.filter(&random))
            let (first, second) = (NamespaceMatcher(left), NamespaceMatcher(right))
            let isCommon = Self.world.contains { first.contains($0) && second.contains($0) }
            let mayOverlap = left.mayOverlap(right)
            if isCommon { #expect(mayOverlap, "seed \(seed): \(left) \(right)") }
            if !mayOverlap { apartCount += 1 }
            for stepCount in [0, 1, 5, 20, 100] {
                var budget = OverlapBudget(stepCount: stepCount)
                let answer = left.mayOverlap(right, &budget)
                if isCommon { #expect(answer, "seed \(seed), \(stepCount): \(left) \(right)") }
            }
        }
        // An answer that is always yes would be of no use.
        #expect(apartCount > 40)
    }

    /// The largest selections there can be, made to take the most steps: the answer comes within
    /// the budget, and is the careful one.
    @Test func theLargestSelectionsAreComparedWithinTheBudget() throws {
        let count = SelectionLimits.patternCountMax / 2
        func hostile(_ letter: String) throws -> NamespaceFilter {
            let patterns = try (0..<count).map { number in
                try NamespacePattern(
                    "*a*\(number)" + String(repeating: "a*", count: 20) + "\(letter)*.x*")
            }
            return NamespaceFilter(included: patterns, excluded: patterns.map(\.self))
        }
        let (left, right) = (try hostile("p"), try hostile("q"))
        var budget = OverlapBudget(stepCount: 1_000_000)
        #expect(left.mayOverlap(right, &budget) == true)
        #expect(budget.stepCount >= 0)
    }

    /// Lists of databases, however long, are told apart exactly.
    @Test func manyDatabasesAreToldApart() throws {
        func databases(_ numbers: Range<Int>) throws -> NamespaceFilter {
            NamespaceFilter(
                included: try numbers.map {
                    try NamespacePattern("\(String(repeating: "d", count: 50))\($0).*")
                })
        }
        let left = try databases(10_000..<10_400)
        #expect(!left.mayOverlap(try databases(20_000..<20_400)))
        #expect(left.mayOverlap(try databases(10_399..<10_799)))
    }
}
