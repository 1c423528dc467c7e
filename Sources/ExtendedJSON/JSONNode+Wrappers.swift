internal import BSONBytes

/// The objects that spell a type JSON does not have.
extension JSONNode {
    /// The value an object spells; nil when it is a document like any other.
    ///
    /// - Throws: `inexactNumber` for a number that its type could only hold rounded, `zeroByte`,
    ///   and what the scope of code throws.
    func wrappedValue(depth: Int) throws(ExtendedJSONError) -> BSONValue? {
        guard case .object(let members) = kind, let first = members.first else { return nil }
        if members.count == 1 { return try first.node.valueWrapped(in: first.name) }
        if let parts = fields("$binary", "$type"), let payload = parts[0].string,
            let subtype = parts[1].string
        {
            return Self.binary(base64: payload, subtype: subtype)
        }
        if let parts = fields("$code", "$scope"), let code = parts[0].string,
            case .object(let scope) = parts[1].kind
        {
            let document = try parts[1].document(of: scope, depth: depth + 1)
            return BSONValue(code: code, scope: document)
        }
        return nil
    }

    /// The value of an object whose only member is this one under `name`.
    private func valueWrapped(in name: String) throws(ExtendedJSONError) -> BSONValue? {
        // Swift compares strings by meaning (the kelvin sign equals K), BSON by bytes.
        guard name.utf8.first == UInt8(ascii: "$"), name.utf8.allSatisfy({ $0 < 0x80 }) else {
            return nil
        }
        switch name {
        case "$numberInt", "$numberLong", "$numberDouble", "$numberDecimal":
            return try string.flatMap { text throws(ExtendedJSONError) in
                try numberSpelled(text, name)
            }
        case "$oid": return objectID.map { BSONValue(.objectID, $0) }
        case "$symbol": return string.map { BSONValue(.symbol, text: $0) }
        case "$code": return string.map { BSONValue(.javaScript, text: $0) }
        case "$date": return dateValue
        case "$timestamp": return timestampValue
        case "$binary": return binaryValue
        case "$uuid": return uuidValue
        case "$regularExpression": return try regularExpressionValue()
        case "$dbPointer": return pointerValue
        case "$minKey": return number == "1" ? BSONValue(.minKey) : nil
        case "$maxKey": return number == "1" ? BSONValue(.maxKey) : nil
        case "$undefined":
            if case .bool(true) = kind { return BSONValue(.undefined) }
            return nil
        default: return nil
        }
    }

    // MARK: Numbers

    private func numberSpelled(
        _ text: String, _ wrapper: String
    ) throws(ExtendedJSONError) -> BSONValue? {
        switch wrapper {
        case "$numberInt": return Int32(text).map { BSONValue(.int32, integer: $0) }
        case "$numberLong": return Int64(text).map { BSONValue(.int64, integer: $0) }
        case "$numberDouble": return try doubleSpelled(text).map { BSONValue($0) }
        default: return try decimalSpelled(text)
        }
    }

    private func doubleSpelled(_ text: String) throws(ExtendedJSONError) -> Double? {
        switch text {
        case "Infinity": return .infinity
        case "-Infinity": return -.infinity
        case "NaN": return .nan
        default: return JSONNumber.matches(text) ? try finiteDouble(text) : nil
        }
    }

    private func decimalSpelled(_ text: String) throws(ExtendedJSONError) -> BSONValue? {
        do {
            return BSONValue(.decimal128, try DecimalNumber(parsing: text).littleEndianBytes)
        } catch .notANumberText {
            return nil
        } catch {
            throw ExtendedJSONError(
                .inexactNumber, "number does not fit a decimal128 exactly", at: offset)
        }
    }

    // MARK: Dates and times

    private var dateValue: BSONValue? {
        let milliseconds: Int64? =
            switch kind {
            case .string(let text): CalendarTime.milliseconds(parsing: text)
            case .number(let digits): Int64(digits)
            default: fields("$numberLong")?[0].string.flatMap { Int64($0) }
            }
        return milliseconds.map { BSONValue(.date, integer: $0) }
    }

    private var timestampValue: BSONValue? {
        guard let parts = fields("t", "i"), let seconds = parts[0].number.flatMap({ UInt32($0) }),
            let increment = parts[1].number.flatMap({ UInt32($0) })
        else { return nil }
        let time = BSONTimestamp(seconds: seconds, increment: increment)
        return BSONValue(.timestamp, integer: time.rawValue)
    }

    // MARK: Bytes

    private var objectID: [UInt8]? {
        string.flatMap { bytes(hexadecimal: $0) }.flatMap { $0.count == 12 ? $0 : nil }
    }

    private var binaryValue: BSONValue? {
        guard let parts = fields("base64", "subType"), let payload = parts[0].string,
            let subtype = parts[1].string
        else { return nil }
        return Self.binary(base64: payload, subtype: subtype)
    }

    private static func binary(base64 text: String, subtype: String) -> BSONValue? {
        let padded = subtype.utf8.count == 1 ? "0" + subtype : subtype
        guard let payload = bytes(base64: text), let subtype = bytes(hexadecimal: padded),
            subtype.count == 1
        else { return nil }
        return BSONValue(binary: payload, subtype: subtype[0])
    }

    private var uuidValue: BSONValue? {
        guard let parts = string?.split(separator: "-", omittingEmptySubsequences: false),
            parts.map(\.utf8.count) == [8, 4, 4, 4, 12],
            let payload = bytes(hexadecimal: parts.joined())
        else { return nil }
        return BSONValue(binary: payload, subtype: BinarySubtype.uuid)
    }

    private var pointerValue: BSONValue? {
        guard let parts = fields("$ref", "$id"), let namespace = parts[0].string,
            let objectID = parts[1].fields("$oid")?[0].objectID
        else { return nil }
        return BSONValue(pointerTo: namespace, objectID: objectID[...])
    }

    // MARK: Regular expressions

    private func regularExpressionValue() throws(ExtendedJSONError) -> BSONValue? {
        guard let parts = fields("pattern", "options"), let pattern = parts[0].string,
            let options = parts[1].string
        else { return nil }
        guard !pattern.utf8.contains(0), !options.utf8.contains(0) else {
            throw ExtendedJSONError(
                .zeroByte, "a regular expression holds a zero byte", at: offset)
        }
        return BSONValue(pattern: pattern, options: options)
    }
}
