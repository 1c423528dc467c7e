internal import ArchiveFormat
internal import BSONBytes
internal import ExtendedJSON

/// Writes the documents of a chunk in an export's format.
struct DocumentFormatter: Sendable {
    /// A text of documents.
    struct Text: Sendable {
        var bytes: [UInt8] = []
        /// Strings and names in it that are not UTF-8 and have U+FFFD in the place of each defect.
        var invalidStringCount: UInt64 = 0
    }

    private let format: Export.Format
    private let lines: CSVLines
    private let writer: ExtendedJSONWriter

    init(_ options: Export.Options) {
        format = options.format
        writer = ExtendedJSONWriter(mode: options.isCanonical ? .canonical : .relaxed)
        lines = CSVLines(
            fields: options.fields, guardsFormulas: options.guardsFormulas, writer: writer)
    }

    /// What comes before all documents.
    var head: [UInt8] {
        switch format {
        case .bson, .ndjson: []
        case .json: Array("[\n".utf8)
        case .csv: lines.head
        }
    }

    /// What comes between the documents of two chunks.
    var separator: [UInt8] { format == .json ? Array(",\n".utf8) : [] }

    /// What comes after all documents.
    var tail: [UInt8] { format == .json ? Array("\n]\n".utf8) : [] }

    /// The documents of one namespace in a chunk.
    ///
    /// - Throws: `ArchiveError` with `malformed` for a document that can't be read.
    func text(of chunk: DecodedChunk, in namespace: Namespace) throws(ArchiveError) -> Text {
        do {
            return try joined(chunk, namespace)
        } catch {
            throw ArchiveError(
                .malformed, "a document can't be written: \(error)",
                chunk: chunk.header?.sequence, namespace: namespace.description)
        }
    }

    private func joined(_ chunk: DecodedChunk, _ namespace: Namespace) throws -> Text {
        var output = Text()
        for block in chunk.blocks where block.header.namespace == namespace {
            if format == .bson {
                output.bytes += chunk.bytes[block.documents]
                continue
            }
            try chunk.bytes.withUnsafeBytes { bytes in
                let documents = UnsafeRawBufferPointer(rebasing: bytes[block.documents])
                try BSONFraming.forEachDocument(in: documents) { document in
                    if format == .json, !output.bytes.isEmpty { output.bytes += separator }
                    try append(document, to: &output)
                }
            }
        }
        return output
    }

    /// Appends one document, without what comes before and after it.
    ///
    /// - Throws: `BSONError` or `ExtendedJSONError` for one that can't be read.
    func append(_ bytes: UnsafeRawBufferPointer, to output: inout Text) throws {
        guard format != .bson else {
            output.bytes += bytes
            return
        }
        let document = try BSONDocument(validating: Array(bytes))
        guard format != .csv else { return try lines.append(document, to: &output) }
        let encoded = try writer.encoded(BSONValue(type: .document, bytes: document.bytes[...]))
        output.bytes += encoded.utf8
        output.invalidStringCount += UInt64(encoded.invalidStringCount)
        if format == .ndjson { output.bytes.append(UInt8(ascii: "\n")) }
    }
}
