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

/// Differences of documents, options and indexes as machines read them: canonical Extended JSON.
enum DifferenceJSON {
    /// `_id`s.
    static func ids(_ ids: [BSONValue]) throws -> JSONValue { .array(try ids.map(exact)) }

    /// Documents that differ, with their fields.
    ///
    /// - Parameters:
    ///   - first, second: what the sides are called.
    static func pairs(
        _ difference: NamespaceDifference, _ first: String, _ second: String
    ) throws -> JSONValue {
        .array(
            try difference.differing.map { pair in
                .object([
                    "_id": try exact(pair.id),
                    "fields": try fields(pair.fields, first, second),
                ])
            })
    }

    /// Fields that differ.
    static func fields(
        _ fields: [FieldDifference], _ first: String, _ second: String
    ) throws -> JSONValue {
        .array(
            try fields.map { field in
                .object([
                    "path": .string(field.path),
                    first: try field.first.map(exact) ?? .null,
                    second: try field.second.map(exact) ?? .null,
                ])
            })
    }

    /// Indexes that differ.
    static func indexes(
        _ difference: NamespaceDifference, _ first: String, _ second: String
    ) throws -> JSONValue {
        .array(
            try difference.indexes.map { index in
                .object([
                    "name": .string(index.name),
                    first: try index.first.map(exact) ?? .null,
                    second: try index.second.map(exact) ?? .null,
                ])
            })
    }

    private static func exact(_ document: BSONDocument) throws -> JSONValue {
        try exact(BSONValue(type: .document, bytes: document.bytes[...]))
    }

    private static func exact(_ value: BSONValue) throws -> JSONValue {
        .verbatim(try ExtendedJSONWriter().text(of: value))
    }
}
