public import BSONBytes

/// Spells BSON as MongoDB Extended JSON, version 2.
///
/// Canonical compact text is byte for byte what mongodump puts into an archive's metadata. It reads
/// back as the same BSON, with three exceptions that the format cannot express: invalid UTF-8 (it
/// becomes U+FFFD), decimals, NaNs and binaries of subtype 2 in a non-standard encoding, and a
/// document that itself looks like the spelling of another type, such as `{"$oid": …}`. Callers who
/// must know compare. Options of a regular expression stay in their order, which mongodump sorts.
public struct ExtendedJSONWriter: Sendable {
    /// How much the text says about types.
    public enum Mode: Sendable {
        /// Every type is kept.
        case canonical
        /// Numbers and dates as people write them; the reader guesses their types.
        case relaxed
    }

    /// Where lines break.
    public enum Layout: Sendable {
        /// No white space at all.
        case compact
        /// Two spaces a level, for people.
        case indented
    }

    private let mode: Mode
    private let layout: Layout

    /// A writer of one spelling; canonical and compact is the archive's.
    public init(mode: Mode = .canonical, layout: Layout = .compact) {
        self.mode = mode
        self.layout = layout
    }

    /// The text of a document, without a newline at its end.
    ///
    /// - Throws: `malformedBSON` or `nestedTooDeep`.
    public func text(of document: BSONDocument) throws(ExtendedJSONError) -> String {
        try text(of: BSONValue(type: .document, bytes: document.bytes[...]))
    }

    /// The text of any value, without a newline at its end.
    ///
    /// - Throws: `malformedBSON` or `nestedTooDeep`.
    public func text(of value: BSONValue) throws(ExtendedJSONError) -> String {
        String(decoding: try encoded(value).utf8, as: UTF8.self)
    }

    /// A text, and what it could not express.
    public struct Encoded: Sendable {
        /// The text.
        public var utf8: [UInt8]
        /// Strings and names in it that were not UTF-8 and have U+FFFD in the place of each
        /// defect.
        public var invalidStringCount: Int
    }

    /// The text of any value, for callers who must know whether something in it was replaced.
    ///
    /// - Throws: `malformedBSON` or `nestedTooDeep`.
    public func encoded(_ value: BSONValue) throws(ExtendedJSONError) -> Encoded {
        var output = JSONOutput(indented: layout == .indented)
        try write(value, depth: 1, to: &output)
        return Encoded(utf8: output.bytes, invalidStringCount: output.invalidStringCount)
    }

    private func write(
        _ value: BSONValue, depth: Int, to output: inout JSONOutput
    ) throws(ExtendedJSONError) {
        switch value.type {
        case .document: try writeMembers(value.bytes, named: true, depth: depth, to: &output)
        case .array: try writeMembers(value.bytes, named: false, depth: depth, to: &output)
        case .javaScriptWithScope:
            let (code, scope) = try value.codeAndScope()
            output.write("{\"$code\":")
            output.write(string: code)
            output.write(",\"$scope\":")
            try writeMembers(scope, named: true, depth: depth + 1, to: &output)
            output.write("}")
        default: writeScalar(value, to: &output)
        }
    }

    /// - Parameter named: whether it is an object; an array's names are left out.
    private func writeMembers(
        _ document: ArraySlice<UInt8>, named: Bool, depth: Int, to output: inout JSONOutput
    ) throws(ExtendedJSONError) {
        guard depth <= BSONLimits.nestingDepthMax else {
            throw ExtendedJSONError(
                .nestedTooDeep, "nested deeper than \(BSONLimits.nestingDepthMax) levels", at: 0)
        }
        var reader = BSONElementReader(document)
        var isFirst = true
        output.open(named ? "{" : "[")
        while let element = try nextElement(&reader) {
            output.beginMember(isFirst: isFirst)
            isFirst = false
            if named { output.writeName(element.nameBytes) }
            try write(element.value, depth: depth + 1, to: &output)
        }
        output.close(named ? "}" : "]", isEmpty: isFirst)
    }

    private func nextElement(
        _ reader: inout BSONElementReader
    ) throws(ExtendedJSONError) -> BSONElement? {
        do { return try reader.next() } catch { throw ExtendedJSONError(error) }
    }

    private func writeScalar(_ value: BSONValue, to output: inout JSONOutput) {
        switch value.type {
        case .int32: writeNumber("$numberInt", String(value.integer(of: Int32.self)), to: &output)
        case .int64: writeNumber("$numberLong", String(value.integer(of: Int64.self)), to: &output)
        case .double:
            let number = Double(bitPattern: value.integer(of: UInt64.self))
            let isBare = mode == .relaxed && number.isFinite
            output.write(isBare ? goText(number) : quoted("$numberDouble", goText(number)))
        case .decimal128:
            let number = DecimalNumber(littleEndian: value.bytes)
            output.write(quoted("$numberDecimal", number.text))
        case .date: writeDate(value.integer(of: Int64.self), to: &output)
        case .bool: output.write(value.bytes.first == 0 ? "false" : "true")
        case .null: output.write("null")
        case .undefined: output.write("{\"$undefined\":true}")
        case .minKey: output.write("{\"$minKey\":1}")
        case .maxKey: output.write("{\"$maxKey\":1}")
        case .objectID: output.write(quoted("$oid", hexadecimal(value.bytes)))
        case .timestamp:
            let time = BSONTimestamp(rawValue: value.integer(of: UInt64.self))
            output.write("{\"$timestamp\":{\"t\":\(time.seconds),\"i\":\(time.increment)}}")
        default: writeText(value, to: &output)
        }
    }

    private func writeText(_ value: BSONValue, to output: inout JSONOutput) {
        switch value.type {
        case .binary:
            let subtype = hexadecimal(value.bytes.dropFirst(4).prefix(1))
            let payload = base64(value.binaryPayload)
            output.write("{\"$binary\":{\"base64\":\"\(payload)\",\"subType\":\"\(subtype)\"}}")
        case .regularExpression:
            let parts = value.bytes.split(separator: 0, omittingEmptySubsequences: false)
            output.write("{\"$regularExpression\":{\"pattern\":")
            output.write(string: parts[0])
            output.write(",\"options\":")
            output.write(string: parts[1])
            output.write("}}")
        case .dbPointer:
            output.write("{\"$dbPointer\":{\"$ref\":")
            output.write(string: value.bytes.dropFirst(4).dropLast(13))
            output.write(",\"$id\":\(quoted("$oid", hexadecimal(value.bytes.suffix(12))))}}")
        case .symbol, .javaScript:
            output.write(value.type == .symbol ? "{\"$symbol\":" : "{\"$code\":")
            output.write(string: value.bytes.dropFirst(4).dropLast())
            output.write("}")
        default: output.write(string: value.bytes.dropFirst(4).dropLast())
        }
    }

    private func writeNumber(_ wrapper: String, _ digits: String, to output: inout JSONOutput) {
        output.write(mode == .relaxed ? digits : quoted(wrapper, digits))
    }

    private func writeDate(_ milliseconds: Int64, to output: inout JSONOutput) {
        if mode == .relaxed, CalendarTime.spelledMilliseconds.contains(milliseconds) {
            output.write(quoted("$date", CalendarTime.text(milliseconds: milliseconds)))
        } else {
            output.write("{\"$date\":\(quoted("$numberLong", String(milliseconds)))}")
        }
    }

    /// An object of one member whose value needs no escapes.
    private func quoted(_ name: String, _ plain: String) -> String { "{\"\(name)\":\"\(plain)\"}" }
}

extension BSONValue {
    /// The whole value as one little-endian integer.
    fileprivate func integer<Integer: FixedWidthInteger>(of type: Integer.Type) -> Integer {
        bytes.reversed().reduce(0) { $0 << 8 | Integer(truncatingIfNeeded: $1) }
    }

    /// A binary value's bytes without the second length that the deprecated subtype 2 repeats.
    fileprivate var binaryPayload: ArraySlice<UInt8> {
        let payload = bytes.dropFirst(5)
        let isOld = bytes.dropFirst(4).first == BinarySubtype.old && payload.count >= 4
        return isOld ? payload.dropFirst(4) : payload
    }

    /// The two parts of code with scope; only its total length was checked by the reader.
    fileprivate func codeAndScope() throws(ExtendedJSONError) -> (
        code: ArraySlice<UInt8>, scope: ArraySlice<UInt8>
    ) {
        let lengthBytes = bytes.dropFirst(4).prefix(4)
        let length = lengthBytes.reversed().reduce(0) { $0 << 8 | Int($1) }
        let scopeByteCount = bytes.count - 8 - length
        guard length >= 1, scopeByteCount >= BSONLimits.documentByteCountMin else {
            throw ExtendedJSONError(.malformedBSON, "code does not fit its value", at: 4)
        }
        do {
            let scope = try BSONDocument(validating: Array(bytes.suffix(scopeByteCount)))
            return (bytes.dropFirst(8).prefix(length - 1), scope.bytes[...])
        } catch {
            throw ExtendedJSONError(error)
        }
    }
}
