internal import ArchiveFormat
internal import BSONBytes
internal import ExtendedJSON

/// Spells the documents of a chunk in an export's format.
struct DocumentSpeller: Sendable {
    private let format: Export.Format
    private let fields: [[String]]
    private let fieldNames: [String]
    private let writer: ExtendedJSONWriter

    init(_ options: Export.Options) {
        format = options.format
        fieldNames = options.fields
        fields = options.fields.map { $0.split(separator: ".").map(String.init) }
        writer = ExtendedJSONWriter(mode: options.isCanonical ? .canonical : .relaxed)
    }

    /// What stands before all documents.
    var head: [UInt8] {
        switch format {
        case .bson, .ndjson: []
        case .json: Array("[\n".utf8)
        case .csv: Array((fieldNames.map(Self.quoted).joined(separator: ",") + "\r\n").utf8)
        }
    }

    /// What stands between the documents of two chunks.
    var separator: [UInt8] { format == .json ? Array(",\n".utf8) : [] }

    /// What stands behind all documents.
    var tail: [UInt8] { format == .json ? Array("\n]\n".utf8) : [] }

    /// - Throws: `ArchiveError` with `malformed` for a document that can't be read.
    func spell(_ chunk: DecodedChunk, of namespace: Namespace) throws(ArchiveError) -> [UInt8] {
        do {
            return try spelt(chunk, of: namespace)
        } catch {
            throw ArchiveError(
                .malformed, "a document can't be spelt: \(error)",
                chunk: chunk.header?.sequence, namespace: namespace.description)
        }
    }

    private func spelt(_ chunk: DecodedChunk, of namespace: Namespace) throws -> [UInt8] {
        var output: [UInt8] = []
        for block in chunk.blocks where block.header.namespace == namespace {
            if format == .bson {
                output += chunk.bytes[block.documents]
                continue
            }
            try chunk.bytes.withUnsafeBytes { bytes in
                let documents = UnsafeRawBufferPointer(rebasing: bytes[block.documents])
                try BSONFraming.forEachDocument(in: documents) { document in
                    if format == .json, !output.isEmpty { output += separator }
                    output += try spelt(document)
                }
            }
        }
        return output
    }

    /// One document, without what stands before and behind it.
    ///
    /// - Throws: `BSONError` or `ExtendedJSONError` for one that can't be read.
    func spelt(_ bytes: UnsafeRawBufferPointer) throws -> [UInt8] {
        guard format != .bson else { return Array(bytes) }
        let document = try BSONDocument(validating: Array(bytes))
        let text =
            switch format {
            case .bson, .json: try writer.text(of: document)
            case .ndjson: try writer.text(of: document) + "\n"
            case .csv:
                try fields.map { try cell(value(at: $0, of: document)) }
                    .joined(separator: ",") + "\r\n"
            }
        return Array(text.utf8)
    }

    // MARK: CSV

    /// The value that a path leads to, through documents by name and through arrays by number.
    private func value(
        at path: [String], of document: BSONDocument
    ) throws(BSONError) -> BSONValue? {
        var current = BSONValue(type: .document, bytes: document.bytes[...])
        for name in path {
            guard current.type == .document || current.type == .array else { return nil }
            guard
                let next = try BSONDocument(validating: Array(current.bytes)).first(name)
            else { return nil }
            current = next
        }
        return current
    }

    private func cell(_ value: BSONValue?) throws -> String {
        guard let value else { return "" }
        switch value.type {
        case .null, .undefined: return ""
        case .string: return Self.quoted(value.string ?? "")
        case .objectID:
            return value.bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        case .date, .decimal128, .double, .int32, .int64, .bool:
            let json = try ExtendedJSONWriter(mode: .relaxed).text(of: value)
            return Self.quoted(Self.unwrapped(json))
        default: return Self.quoted(try writer.text(of: value))
        }
    }

    /// The text in a wrapper such as `{"$date":"…"}`.
    private static func unwrapped(_ json: String) -> String {
        guard json.hasPrefix("{"), json.hasSuffix("\"}"),
            let start = json.firstRange(of: ":\"")
        else { return json }
        return String(json[start.upperBound...].dropLast(2))
    }

    private static func quoted(_ text: String) -> String {
        guard text.utf8.contains(where: { [0x22, 0x2C, 0x0A, 0x0D].contains($0) }) else {
            return text
        }
        return "\"" + text.replacing("\"", with: "\"\"") + "\""
    }
}
