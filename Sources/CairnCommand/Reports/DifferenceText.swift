internal import BSONBytes
internal import ExtendedJSON
internal import Snapshots

/// Differences of documents, options and indexes as people read them.
enum DifferenceText {
    private static let spelledCountMax = 80
    /// How much is left of what two long values have in common before they differ.
    private static let commonCountMax = 20

    /// A value on one line, cut where it is long.
    static func spelt(_ value: BSONValue?) throws -> String {
        cut(try text(of: value, .relaxed))
    }

    /// Two values that differ, so that one sees it: with their types when that is all, and from
    /// where they differ on when they are long.
    private static func spelt(
        _ first: BSONValue?, _ second: BSONValue?
    ) throws -> (String, String) {
        var texts = (try text(of: first, .relaxed), try text(of: second, .relaxed))
        if texts.0 == texts.1 {
            texts = (try text(of: first, .canonical), try text(of: second, .canonical))
        }
        if texts.0 == texts.1 { texts.1 += " (other bytes)" }
        let short = (cut(texts.0), cut(texts.1))
        guard short.0 == short.1 else { return short }
        let common = zip(texts.0, texts.1).prefix { $0 == $1 }.count
        let start = max(0, common - commonCountMax)
        return (
            "…" + cut(String(texts.0.dropFirst(start))),
            "…" + cut(String(texts.1.dropFirst(start)))
        )
    }

    private static func text(
        of value: BSONValue?, _ mode: ExtendedJSONWriter.Mode
    ) throws -> String {
        guard let value else { return "missing" }
        let encoded = try ExtendedJSONWriter(mode: mode).encoded(value)
        let text = Formatting.visible(String(decoding: encoded.utf8, as: UTF8.self))
        return encoded.invalidStringCount == 0 ? text : "(not UTF-8) " + text
    }

    private static func cut(_ text: String) -> String {
        text.count <= spelledCountMax ? text : text.prefix(spelledCountMax - 1) + "…"
    }

    /// Options and indexes that differ, a line each.
    ///
    /// - Parameter change: how the first side's value and the second's are put together.
    static func definitions(
        _ difference: NamespaceDifference, _ change: (String, String) -> String
    ) throws -> [String] {
        try difference.options.map { field in
            let (first, second) = try spelt(field.first, field.second)
            return "  option \(name(of: field)): \(change(first, second))"
        }
            + difference.indexes.map { index in
                let (first, second) = try spelt(value(index.first), value(index.second))
                return "  index \(quoted(index.name)): \(change(first, second))"
            }
    }

    private static func value(_ document: BSONDocument?) -> BSONValue? {
        document.map { BSONValue(type: .document, bytes: $0.bytes[...]) }
    }

    /// A document that differs, and its fields.
    ///
    /// - Parameter change: how the first side's value and the second's are put together.
    static func lines(
        _ label: String, _ pair: NamespaceDifference.Differing,
        _ change: (String, String) -> String
    ) throws -> [String] {
        try ["  \(label): \(spelt(pair.id))"]
            + pair.fields.map { field in
                let (first, second) = try spelt(field.first, field.second)
                return "    \(name(of: field)): \(change(first, second))"
            }
    }

    /// The field's name, which can't be taken for anything else: where it is not just letters and
    /// digits it is in quotation marks.
    static func name(of field: FieldDifference) -> String {
        let path = field.steps.map { step in
            quoted(step.name) + (step.occurrence == 0 ? "" : "#\(step.occurrence + 1)")
        }.joined(separator: ".")
        guard field.isOrder else { return path }
        return path.isEmpty ? "the order of fields" : "the order of fields in \(path)"
    }

    private static func quoted(_ name: String) -> String {
        let isPlain =
            !name.isEmpty
            && name.unicodeScalars.allSatisfy { scalar in
                scalar.properties.isAlphabetic || scalar.properties.numericType != nil
                    || "_-$".unicodeScalars.contains(scalar)
            }
        guard !isPlain else { return name }
        let escaped = name.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
        return "\"\(Formatting.visible(escaped))\""
    }
}
