public import BSONBytes

/// A field in which two documents with the same `_id` differ.
public struct FieldDifference: Hashable, Sendable {
    /// Such as `address.city`; within arrays the index is the name.
    public var path: String
    /// Nil where there is no such field.
    public var first: BSONValue?
    public var second: BSONValue?

    /// The most that is told of one pair of documents.
    public static let countMax = 20

    /// Fields that only one has, or that have another type or other bytes; documents and arrays are
    /// gone into when both have them. With the same fields in another order, the one difference is
    /// the whole document.
    ///
    /// - Throws: `BSONError` for a document that can't be read.
    public static func between(
        _ first: BSONDocument, _ second: BSONDocument
    ) throws(BSONError) -> [FieldDifference] {
        var found: [FieldDifference] = []
        try collect(first, second, path: "", into: &found)
        if found.isEmpty, first != second {
            found = [
                FieldDifference(
                    path: "", first: BSONValue(type: .document, bytes: first.bytes[...]),
                    second: BSONValue(type: .document, bytes: second.bytes[...]))
            ]
        }
        return Array(found.prefix(countMax))
    }

    private static func collect(
        _ first: BSONDocument, _ second: BSONDocument, path: String, depth: Int = 1,
        into found: inout [FieldDifference]
    ) throws(BSONError) {
        let (left, right) = (try first.elements(), try second.elements())
        let others = Dictionary(
            right.map { ($0.name, $0.value) }, uniquingKeysWith: { one, _ in one })
        let own = Set(left.map(\.name))
        for element in left where found.count < countMax {
            let name = path + element.name
            guard let other = others[element.name] else {
                found.append(FieldDifference(path: name, first: element.value, second: nil))
                continue
            }
            guard element.value != other else { continue }
            // A file may have documents that are nested deeper than any server's.
            let isNested =
                [.document, .array].contains(element.value.type)
                && depth < BSONLimits.nestingDepthMax
            guard isNested, element.value.type == other.type else {
                found.append(FieldDifference(path: name, first: element.value, second: other))
                continue
            }
            let count = found.count
            try collect(
                BSONDocument(validating: Array(element.value.bytes)),
                BSONDocument(validating: Array(other.bytes)), path: name + ".",
                depth: depth + 1, into: &found)
            // The same fields in another order.
            if found.count == count {
                found.append(FieldDifference(path: name, first: element.value, second: other))
            }
        }
        for element in right where found.count < countMax && !own.contains(element.name) {
            found.append(
                FieldDifference(path: path + element.name, first: nil, second: element.value))
        }
    }
}
