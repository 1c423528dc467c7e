public import BSONBytes

/// Reads MongoDB Extended JSON: version 2 canonical and relaxed, and the older spellings
/// `{"$binary": "…", "$type": "…"}`, `{"$date": 0}` and `{"$date": "ISO-8601"}` that archives of
/// mongodump before 4.2 hold.
///
/// Order and duplicates of names are kept. A bare number is an int32 if it fits, else an int64,
/// else a double. An object that is not exactly a type's spelling is a document; so is
/// `{"$regex": …}`, which is a query operator.
public enum ExtendedJSONParser {
    /// The longest text that is read, in bytes: more than the canonical text of any document that
    /// is not made of empty names, and too little for BSON beyond 2 GiB (`0,` takes 14 bytes).
    public static let textByteCountMax = 8 * BSONLimits.documentByteCountMax

    /// Reads the document that is the whole text.
    ///
    /// - Throws: `ExtendedJSONError` with the defect's byte offset.
    public static func document(_ text: String) throws(ExtendedJSONError) -> BSONDocument {
        try document(utf8: Array(text.utf8))
    }

    /// Reads the document that is the whole text.
    ///
    /// - Throws: `ExtendedJSONError` with the defect's byte offset.
    public static func document(utf8 text: [UInt8]) throws(ExtendedJSONError) -> BSONDocument {
        guard let document = try value(utf8: text).document else {
            throw ExtendedJSONError(.unexpectedValue, "the text is not a document", at: 0)
        }
        return document
    }

    /// Reads the value that is the whole text: also an array, or a type's spelling.
    ///
    /// - Throws: `ExtendedJSONError` with the defect's byte offset.
    public static func value(utf8 text: [UInt8]) throws(ExtendedJSONError) -> BSONValue {
        guard text.count <= textByteCountMax else {
            throw ExtendedJSONError(
                .textTooLong, "text is longer than \(textByteCountMax) bytes", at: 0)
        }
        var reader = JSONReader(text)
        return try reader.readText().value(depth: 1)
    }
}

extension JSONNode {
    /// The BSON that this text stands for.
    ///
    /// - Parameter depth: the level of the document or array that this may be; 1 is the outermost.
    func value(depth: Int) throws(ExtendedJSONError) -> BSONValue {
        switch kind {
        case .null: BSONValue(.null)
        case .bool(let isTrue): BSONValue(.bool, [isTrue ? 1 : 0])
        case .string(let text): BSONValue(.string, text: text)
        case .number(let digits): try numberValue(digits)
        case .array(let nodes): try arrayValue(nodes, depth: depth)
        case .object(let members):
            if let value = try wrappedValue(depth: depth) {
                value
            } else {
                BSONValue(.document, try document(of: members, depth: depth).bytes)
            }
        }
    }

    /// The document of an object's members, whatever they look like.
    func document(
        of members: [(name: String, node: JSONNode)], depth: Int
    ) throws(ExtendedJSONError) -> BSONDocument {
        try checkDepth(depth)
        var builder = BSONBuilder()
        for (name, node) in members {
            guard !name.utf8.contains(0) else {
                throw ExtendedJSONError(.zeroByte, "a name holds a zero byte", at: node.offset)
            }
            builder.append(name, try node.value(depth: depth + 1))
        }
        return builder.document
    }

    private func arrayValue(
        _ nodes: [JSONNode], depth: Int
    ) throws(ExtendedJSONError) -> BSONValue {
        try checkDepth(depth)
        var builder = BSONBuilder()
        for (index, node) in nodes.enumerated() {
            builder.append(String(index), try node.value(depth: depth + 1))
        }
        return BSONValue(.array, builder.document.bytes)
    }

    private func numberValue(_ digits: String) throws(ExtendedJSONError) -> BSONValue {
        if JSONNumber.isInteger(digits) {
            if let number = Int32(digits) { return BSONValue(.int32, integer: number) }
            if let number = Int64(digits) { return BSONValue(.int64, integer: number) }
        }
        return BSONValue(try finiteDouble(digits))
    }

    /// The double nearest to a number's spelling.
    func finiteDouble(_ digits: String) throws(ExtendedJSONError) -> Double {
        guard let number = Double(digits), number.isFinite else {
            throw ExtendedJSONError(
                .inexactNumber, "number is beyond the range of a double", at: offset)
        }
        return number
    }

    private func checkDepth(_ depth: Int) throws(ExtendedJSONError) {
        guard depth <= BSONLimits.nestingDepthMax else {
            throw ExtendedJSONError(
                .nestedTooDeep, "nested deeper than \(BSONLimits.nestingDepthMax) levels",
                at: offset)
        }
    }
}
