internal import ArchiveFormat
internal import BSONBytes
internal import ExtendedJSON
public import Snapshots

extension JSONValue {
    /// What differs between two snapshots.
    ///
    /// - Throws: `BSONError`, `ExtendedJSONError` for a sample that is malformed.
    public init(_ report: Comparison.Report) throws {
        try self.init(
            report.namespaces, names: (report.first.id, report.second.id), seconds: report.seconds)
    }

    /// What differs between a snapshot and a server.
    ///
    /// - Throws: `BSONError`, `ExtendedJSONError` for a sample that is malformed.
    public init(difference report: LiveComparison.Report) throws {
        try self.init(
            report.entries.map(\.difference), names: (report.manifest.id, "live"),
            seconds: report.seconds)
    }

    private init(
        _ differences: [NamespaceDifference], names: (String, String), seconds: Double
    ) throws {
        self = .object([
            "first": .string(names.0),
            "second": .string(names.1),
            "equal": .bool(differences.allSatisfy(\.isEqual)),
            "invalid_strings": try DifferenceJSON.invalidStringCount(differences),
            "seconds": .decimal(seconds),
            "collections": .array(try differences.map(Self.entry)),
        ])
    }

    private static func entry(_ difference: NamespaceDifference) throws -> JSONValue {
        .object([
            "collection": .string(difference.namespace.description),
            "type": .string(difference.type.word),
            "unit": .optional(difference.unit?.noun),
            "in_first": .bool(difference.isInFirst),
            "in_second": .bool(difference.isInSecond),
            "only_in_first": .count(difference.onlyInFirstCount),
            "only_in_second": .count(difference.onlyInSecondCount),
            "differing": .count(difference.differingCount),
            "equal": .count(difference.equalCount),
            "options_differing": try DifferenceJSON.fields(difference.options, "first", "second"),
            "indexes_differing": try DifferenceJSON.indexes(difference, "first", "second"),
            "chunks_read": .count(difference.decodedChunkCount),
            "samples": .object([
                "only_in_first": try DifferenceJSON.ids(difference.onlyInFirst),
                "only_in_second": try DifferenceJSON.ids(difference.onlyInSecond),
                "differing": try DifferenceJSON.pairs(difference, "first", "second"),
            ]),
        ])
    }
}

/// Differences of documents, options and indexes as machines read them: canonical Extended JSON.
enum DifferenceJSON {
    /// How many strings of all samples are not UTF-8 and have U+FFFD in the place of each defect.
    static func invalidStringCount(_ differences: [NamespaceDifference]) throws -> JSONValue {
        let writer = ExtendedJSONWriter()
        var count = 0
        for difference in differences {
            let fields = difference.differing.flatMap(\.fields) + difference.options
            let values =
                difference.onlyInFirst + difference.onlyInSecond + difference.differing.map(\.id)
                + fields.flatMap { [$0.first, $0.second].compactMap(\.self) }
                + difference.uniqueConflicts.flatMap(\.ids)
            for value in values { count += try writer.encoded(value).invalidStringCount }
            count += fields.flatMap(\.steps).count {
                String(validating: $0.nameBytes, as: UTF8.self) == nil
            }
            for definition in difference.indexes.flatMap({ [$0.first, $0.second] }) {
                guard let definition else { continue }
                let value = BSONValue(type: .document, bytes: definition.bytes[...])
                count += try writer.encoded(value).invalidStringCount
            }
        }
        return .count(count)
    }

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
                    "names": .array(field.steps.map { .string($0.name) }),
                    "change": .string(change(field)),
                    first: try field.first.map(exact) ?? .null,
                    second: try field.second.map(exact) ?? .null,
                ])
            })
    }

    /// What is different of it; that it stands twice in a document is not told apart.
    private static func change(_ field: FieldDifference) -> String {
        guard !field.isOrder else { return "order" }
        return field.first == nil || field.second == nil ? "presence" : "value"
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
