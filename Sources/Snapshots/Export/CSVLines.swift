internal import BSONBytes
internal import ExtendedJSON

/// Documents as lines of CSV (RFC 4180), in UTF-8, each line ending in CR LF.
///
/// A field that is missing, null or undefined is an empty cell; an empty string is `""`, as is the
/// empty cell of a line that has no other, because readers skip empty lines. Numbers and booleans
/// are as people write them, a date is ISO 8601 in UTC whatever its year, an ObjectId its digits;
/// everything else is Extended JSON.
struct CSVLines: Sendable {
    private static let lineEnd = Array("\r\n".utf8)
    /// Characters that make a spreadsheet take a cell for a formula, also in the full-width forms
    /// that some take for the same.
    private static let formulaMarks: Set<Unicode.Scalar> = [
        "=", "+", "-", "@", "\t", "\r", "\n", "\u{FF1D}", "\u{FF0B}", "\u{FF0D}", "\u{FF20}",
    ]

    private let names: [String]
    private let fields: FieldTree
    private let guardsFormulas: Bool
    private let writer: ExtendedJSONWriter
    private let plainWriter = ExtendedJSONWriter(mode: .relaxed)

    /// - Parameters:
    ///   - fields: the columns, such as `address.city`.
    ///   - guardsFormulas: whether a text that a spreadsheet would take for a formula gets an
    ///     apostrophe in front.
    ///   - writer: writes what CSV has no form for.
    init(fields: [String], guardsFormulas: Bool, writer: ExtendedJSONWriter) {
        names = fields
        self.fields = FieldTree(fields)
        self.guardsFormulas = guardsFormulas
        self.writer = writer
    }

    /// The line with the columns' names.
    var head: [UInt8] {
        var line: [UInt8] = []
        for (position, name) in names.enumerated() {
            if position > 0 { line.append(UInt8(ascii: ",")) }
            append(text: Array(name.utf8), to: &line)
        }
        return line + Self.lineEnd
    }

    /// Appends the line of a document.
    ///
    /// - Throws: `BSONError` or `ExtendedJSONError` for one that can't be read.
    func append(_ document: BSONDocument, to output: inout DocumentFormatter.Text) throws {
        let values = try fields.values(of: document)
        let start = output.bytes.count
        for (position, value) in values.enumerated() {
            if position > 0 { output.bytes.append(UInt8(ascii: ",")) }
            if let value { try append(value, to: &output) }
        }
        if output.bytes.count == start { output.bytes += Array("\"\"".utf8) }
        output.bytes += Self.lineEnd
    }

    private func append(_ value: BSONValue, to output: inout DocumentFormatter.Text) throws {
        switch value.type {
        case .null, .undefined: return
        case .string:
            var content = Array(value.bytes.dropFirst(4).dropLast())
            if String(validating: content, as: UTF8.self) == nil {
                output.invalidStringCount += 1
                content = Array(String(decoding: content, as: UTF8.self).utf8)
            }
            append(text: content, to: &output.bytes)
        case .objectID:
            for byte in value.bytes {
                output.bytes += (byte < 16 ? "0" : "").utf8
                output.bytes += String(byte, radix: 16).utf8
            }
        case .date:
            let milliseconds = value.dateMilliseconds ?? 0
            append(
                text: Array(CalendarTime.expandedText(milliseconds: milliseconds).utf8),
                to: &output.bytes)
        case .decimal128, .double, .int32, .int64, .bool:
            // None of them has a character that needs quotation marks.
            output.bytes += Self.unwrapped(try plainWriter.text(of: value)).utf8
        default:
            let encoded = try writer.encoded(value)
            output.invalidStringCount += UInt64(encoded.invalidStringCount)
            append(text: encoded.utf8, to: &output.bytes)
        }
    }

    /// The text in a wrapper such as `{"$numberDecimal":"…"}`.
    private static func unwrapped(_ json: String) -> String {
        guard json.hasPrefix("{"), json.hasSuffix("\"}"),
            let start = json.firstRange(of: ":\"")
        else { return json }
        return String(json[start.upperBound...].dropLast(2))
    }

    /// Appends a text, in quotation marks where it needs them. It is looked at byte by byte: a
    /// quotation mark is one also before a character that combines with it.
    private func append(text: [UInt8], to output: inout [UInt8]) {
        let needsGuard = guardsFormulas && Self.isFormula(text)
        let isQuoted =
            text.isEmpty || text.contains { [0x22, 0x2C, 0x0A, 0x0D].contains($0) }
        if isQuoted { output.append(UInt8(ascii: "\"")) }
        if needsGuard { output.append(UInt8(ascii: "'")) }
        for byte in text {
            if byte == UInt8(ascii: "\"") { output.append(byte) }
            output.append(byte)
        }
        if isQuoted { output.append(UInt8(ascii: "\"")) }
    }

    private static func isFormula(_ text: [UInt8]) -> Bool {
        String(decoding: text.prefix(4), as: UTF8.self).unicodeScalars.first
            .map(formulaMarks.contains) ?? false
    }
}
