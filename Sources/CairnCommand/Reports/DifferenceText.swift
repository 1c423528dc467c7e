internal import BSONBytes
internal import ExtendedJSON
internal import Snapshots

/// Differences of documents, options and indexes as people read them.
enum DifferenceText {
    private static let spelledCountMax = 80

    /// A value on one line, cut where it is long.
    static func spelt(_ value: BSONValue?) throws -> String {
        guard let value else { return "missing" }
        return cut(try ExtendedJSONWriter(mode: .relaxed).text(of: value))
    }

    private static func cut(_ text: String) -> String {
        let text = Formatting.visible(text)
        return text.count <= spelledCountMax ? text : text.prefix(spelledCountMax - 1) + "…"
    }

    /// Options and indexes that differ, a line each.
    ///
    /// - Parameter change: how the first side's value and the second's are put together.
    static func definitions(
        _ difference: NamespaceDifference, _ change: (String, String) -> String
    ) throws -> [String] {
        try difference.options.map { field in
            "  option \(Formatting.visible(field.path)): "
                + change(try spelt(field.first), try spelt(field.second))
        }
            + difference.indexes.map { index in
                "  index \(Formatting.visible(index.name)): "
                    + change(try spelt(index.first), try spelt(index.second))
            }
    }

    private static func spelt(_ document: BSONDocument?) throws -> String {
        try spelt(document.map { BSONValue(type: .document, bytes: $0.bytes[...]) })
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
                let path = field.path.isEmpty ? "order of fields" : Formatting.visible(field.path)
                return "    \(path): " + change(try spelt(field.first), try spelt(field.second))
            }
    }
}
