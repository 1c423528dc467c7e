internal import SampleData
internal import SnapshotJSON

@testable internal import HTTPService

/// Makes bodies that a schema accepts, its bounds among them: the shortest and the longest text,
/// the smallest and the largest number, no item and the most.
struct RandomBodies {
    private var random: SplitMix64
    /// So that a body stays within what a request may have.
    private var textCountLeft = 0

    init(seed: UInt64) {
        random = SplitMix64(seed: seed)
    }

    /// A body that fits.
    mutating func body(_ schema: Schema) -> JSONValue {
        textCountLeft = 200_000
        return value(schema)
    }

    private mutating func value(_ schema: Schema) -> JSONValue {
        switch schema {
        case .described(let inner, _): return value(inner)
        case .nullable(let inner): return random.chance(20) ? .null : value(inner)
        case .boolean: return .bool(random.chance(50))
        case .number:
            return .verbatim(["0", "-1e308", "1e-400", "12345678901234567890"][random.below(4)])
        case .integer(let range): return .verbatim(integer(range))
        case .string(let rule): return .string(text(rule))
        case .array(let item, let countMin, let countMax):
            let count = [countMin, countMax, countMin + random.below(4)][random.below(3)]
            // Few that differ are enough, and many take long to make.
            let items = (0..<min(count, 5)).map { _ in value(item) }
            return .array((0..<min(count, countMax)).map { items[$0 % items.count] })
        case .object(let properties):
            return .object(
                properties.compactMap { property in
                    guard property.isRequired || random.chance(60) else { return nil }
                    return JSONValue.Member(property.name, value(property.schema))
                })
        case .map(let inner): return .object([JSONValue.Member("a", value(inner))])
        case .named, .oneOf, .any: return .null
        }
    }

    private mutating func integer(_ range: ClosedRange<Int>) -> String {
        let bounds = [range.lowerBound, range.upperBound]
        let number =
            random.chance(60) ? bounds[random.below(2)] : Int.random(in: range, using: &random)
        // The same number, in another form.
        return random.chance(10) && abs(number) < 1 << 50 ? "\(number).0" : "\(number)"
    }

    private mutating func text(_ rule: Schema.TextRule) -> String {
        if let values = rule.values { return values[random.below(values.count)] }
        let longest = min(rule.lengths.upperBound, max(textCountLeft, 8))
        let lengths = [rule.lengths.lowerBound, longest, random.below(longest) + 1]
        let length = max(rule.lengths.lowerBound, min(lengths[random.below(3)], longest))
        for _ in 0..<20 {
            let text = candidate(length)
            guard Self.fits(text, rule) else { continue }
            textCountLeft -= text.utf8.count
            return text
        }
        return Self.plain.first { Self.fits($0, rule) } ?? ""
    }

    /// What most rules take.
    private static let plain = [
        "manual", "shop.*", "shop", "2026-11-23T08:45:12Z", "20261123T084512Z-manual-3f9a1c",
        "30 2 * * *", "Europe/Rome", "a", "",
    ]

    private static func fits(_ text: String, _ rule: Schema.TextRule) -> Bool {
        var validation = SchemaValidation(.query)
        validation.check(parameter: text, .string(rule), at: "")
        return validation.errors.isEmpty
    }

    private mutating func candidate(_ length: Int) -> String {
        let alphabets = [
            ["a"], ["*"], ["a", "*"], ["a", ".", "*", "\\"], ["😀"], ["é", "a"], ["\u{1}", "a"],
            ["\"", "a"], ["0", "1", " "], ["*", "/", ",", "-", "9", " "], ["\u{301}"],
            ["\u{2028}", "\u{7F}"],
        ]
        let letters = alphabets[random.below(alphabets.count)]
        let filling = (0..<max(0, length - 4)).map { _ in letters[random.below(letters.count)] }
        let start = ["a.", "*.", "", "a*."][random.below(4)]
        return String(
            (start + filling.joined() + (length > 2 ? "b" : "")).unicodeScalars.prefix(length))
    }
}
