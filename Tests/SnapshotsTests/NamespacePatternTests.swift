import ArchiveFormat
import SampleData
import Testing

@testable import Snapshots

/// Which names fit a pattern, and how much work it is to find out.
@Suite struct NamespacePatternTests {
    /// What a pattern means, said in the simplest way: each asterisk is tried with every text, the
    /// shortest first. Takes for ever on long names.
    private static func model(_ tokens: ArraySlice<UInt8?>, _ name: ArraySlice<UInt8>) -> [String]?
    {
        guard let token = tokens.first else { return name.isEmpty ? [] : nil }
        let rest = tokens.dropFirst()
        guard token == nil else {
            return name.first == token ? model(rest, name.dropFirst()) : nil
        }
        for end in name.startIndex...name.endIndex {
            if let others = model(rest, name[end...]) {
                return [String(decoding: name[..<end], as: UTF8.self)] + others
            }
        }
        return nil
    }

    private static func text(_ random: inout SplitMix64, _ letters: [String], _ countMax: Int)
        -> String
    {
        (0..<random.below(countMax + 1)).map { _ in letters[random.below(letters.count)] }.joined()
    }

    @Test(arguments: [UInt64.random(in: 0 ... .max)])
    func capturesWhatTheModelDoes(seed: UInt64) throws {
        print("NamespacePatternTests: seed \(seed)")
        var random = SplitMix64(seed: seed)
        var fittingCount = 0
        for _ in 0..<20_000 {
            let text = Self.text(&random, ["a", "b", "*", "*", ".", "\\*", "é"], 8)
            guard let pattern = try? NamespacePattern(text) else { continue }
            let name = Self.text(&random, ["a", "b", ".", "*", "é"], 9)
            let expected = Self.model(pattern.tokens[...], Array(name.utf8)[...])
            #expect(pattern.captures(in: name) == expected, "seed \(seed): \(text) on \(name)")
            #expect(pattern.matches(name) == (expected != nil))
            if expected != nil { fittingCount += 1 }
        }
        // Patterns that nothing fits would prove nothing.
        #expect(fittingCount > 100)
    }

    /// Every pattern of a few tokens on every name of a few letters.
    @Test func allSmallPatternsAgreeWithTheModel() throws {
        func all(_ letters: [String], _ count: Int) -> [String] {
            (0..<count).reduce([""]) { texts, _ in
                texts + texts.flatMap { text in letters.map { text + $0 } }
            }
        }
        let names = Set(all(["a", "b", "."], 4))
        for text in Set(all(["a", "*", "."], 4)) {
            guard let pattern = try? NamespacePattern(text) else { continue }
            for name in names {
                let expected = Self.model(pattern.tokens[...], Array(name.utf8)[...])
                #expect(pattern.captures(in: name) == expected, "\(text) on \(name)")
            }
        }
    }

    /// The work is at most twice the name and once the pattern, whatever they are.
    @Test(arguments: [
        "*a*a*a*a*a*a*a*a*a*a*a*a*a*a.zz", "*aaaaaaaaab*aaaaaaaaab*.*", "a*b*a*b*.*aab",
        "*ab*ab*ab*.ab*abababac", "*.*a*a*a*a*a*a*a*a*a*a*a*a*b",
    ])
    func workIsLinear(_ text: String) throws {
        let pattern = try NamespacePattern(text)
        for letters in ["a", "ab", "aab", "abababab."] {
            for length in [60, 600, 60_000] {
                let name = String(String(repeating: letters, count: length).prefix(length))
                var stepCount = 0
                _ = pattern.matches(name, &stepCount) { _ in }
                #expect(stepCount <= 2 * name.utf8.count + text.utf8.count, "\(letters) \(length)")
            }
        }
    }

    @Test func limitsAreErrors() throws {
        let stars = SelectionLimits.asteriskCountMax
        _ = try NamespacePattern("a." + String(repeating: "*b", count: stars))
        let length = SelectionLimits.patternByteCountMax
        _ = try NamespacePattern("a." + String(repeating: "b", count: length - 2))
        for text in [
            "a." + String(repeating: "*", count: stars + 1),
            "a." + String(repeating: "b", count: length - 1),
            "a." + String(repeating: "\u{1}", count: 100_000),
        ] {
            let error = #expect(throws: SnapshotError.self) { try NamespacePattern(text) }
            #expect(error?.code == .usage)
            #expect(error.map { $0.message.utf8.count < 1500 } == true)
        }
    }

    /// A filter of many names, as the backup before a restore has it, is looked up.
    @Test(arguments: [UInt64.random(in: 0 ... .max)])
    func aMatcherAgreesWithItsPatterns(seed: UInt64) throws {
        print("NamespacePatternTests: seed \(seed)")
        var random = SplitMix64(seed: seed)
        let letters = ["a", "b", "*", "\\*", "."]
        for _ in 0..<2000 {
            let patterns = (0..<random.below(5)).compactMap { _ in
                try? NamespacePattern(Self.text(&random, letters, 5))
            }
            let split = patterns.isEmpty ? 0 : random.below(patterns.count + 1)
            let filter = NamespaceFilter(
                included: Array(patterns[..<split]), excluded: Array(patterns[split...]))
            let name = Namespace("a", Self.text(&random, ["a", "b", ".", "*"], 3))
            let text = name.description
            let expected =
                (filter.included.isEmpty || filter.included.contains { $0.matches(text) })
                && !filter.excluded.contains { $0.matches(text) }
            #expect(NamespaceMatcher(filter).contains(name) == expected, "seed \(seed)")
        }
    }
}
