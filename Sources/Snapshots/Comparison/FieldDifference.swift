public import BSONBytes

/// A field in which two documents with the same `_id` differ.
public struct FieldDifference: Hashable, Sendable {
    /// A field of a document on the way to the one that differs.
    public struct Step: Hashable, Sendable {
        /// The field's name as its bytes: it may be empty, have dots, or be no valid UTF-8.
        public var nameBytes: [UInt8]
        /// Which of the fields of that name, from 0: a document may have several.
        public var occurrence = 0

        /// The name as text, with invalid UTF-8 repaired; within an array the index.
        public var name: String { String(decoding: nameBytes, as: UTF8.self) }
    }

    /// How to get to the field; empty for the whole document.
    public var steps: [Step]
    /// Whether the fields of this document have the same names on both sides, but in another order.
    /// Their values, where those differ, are differences of their own.
    public var isOrder = false
    /// Nil where there is no such field.
    public var first: BSONValue?
    public var second: BSONValue?

    /// The names with dots between them, such as `address.city`. Only `steps` says it exactly: a
    /// name may have dots itself.
    public var path: String { steps.map(\.name).joined(separator: ".") }

    /// The most that is reported of one pair of documents.
    public static let countMax = 20
    /// How deep documents within documents are compared field by field; what is deeper is compared
    /// as a whole. A file may have documents that are nested deeper than any server's.
    private static let depthMax = BSONLimits.nestingDepthMax

    /// Fields that only one has, or that have another type or other bytes, and documents that have
    /// the same fields in another order. Where both have a document or an array, its fields are
    /// compared. The n-th field of a name is compared with the other's n-th field of that name.
    ///
    /// - Parameter comparesOrder: whether the order of the documents' own fields counts; that of
    ///   documents within them always does.
    /// - Throws: `BSONError` for a document that can't be read.
    public static func between(
        _ first: BSONDocument, _ second: BSONDocument, comparesOrder: Bool = true
    ) throws(BSONError) -> [FieldDifference] {
        var found: [FieldDifference] = []
        try collect((first, second), at: [], comparesOrder: comparesOrder, into: &found)
        return Array(found.prefix(countMax))
    }

    private static func collect(
        _ pair: (first: BSONDocument, second: BSONDocument), at steps: [Step],
        comparesOrder: Bool = true, into found: inout [FieldDifference]
    ) throws(BSONError) {
        let (left, right) = (try fields(pair.first), try fields(pair.second))
        let others = Dictionary(
            right.map { ($0.step, $0.value) }, uniquingKeysWith: { one, _ in one })
        let own = Set(left.map(\.step))
        for field in left where found.count < countMax {
            let place = steps + [field.step]
            guard let other = others[field.step] else {
                found.append(FieldDifference(steps: place, first: field.value, second: nil))
                continue
            }
            guard field.value != other else { continue }
            let isNested =
                [.document, .array].contains(field.value.type) && field.value.type == other.type
                && place.count < depthMax
            guard isNested else {
                found.append(FieldDifference(steps: place, first: field.value, second: other))
                continue
            }
            let inner = (
                first: try BSONDocument(validating: Array(field.value.bytes)),
                second: try BSONDocument(validating: Array(other.bytes))
            )
            try collect(inner, at: place, into: &found)
        }
        for field in right where found.count < countMax && !own.contains(field.step) {
            found.append(
                FieldDifference(steps: steps + [field.step], first: nil, second: field.value))
        }
        let common = left.map(\.step).filter { others[$0] != nil }
        guard comparesOrder, found.count < countMax,
            common != right.map(\.step).filter(own.contains)
        else { return }
        found.append(
            FieldDifference(
                steps: steps, isOrder: true, first: pair.first.asValue,
                second: pair.second.asValue))
    }

    private static func fields(
        _ document: BSONDocument
    ) throws(BSONError) -> [(step: Step, value: BSONValue)] {
        var counts: [[UInt8]: Int] = [:]
        var fields: [(step: Step, value: BSONValue)] = []
        for element in try document.elements() {
            let name = Array(element.nameBytes)
            let count = counts[name, default: 0]
            counts[name] = count + 1
            fields.append((Step(nameBytes: name, occurrence: count), element.value))
        }
        return fields
    }
}

extension BSONDocument {
    /// The document as a value.
    var asValue: BSONValue { BSONValue(type: .document, bytes: bytes[...]) }
}
