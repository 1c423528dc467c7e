internal import BSONBytes

/// Two versions of a document, cut down to what may differ, so that samples of a comparison take
/// little memory however large the documents are.
///
/// Fields that both have at the same place with the same bytes are left out, and values that are
/// too long to be shown are replaced by a text that stands for them: `$omitted: binary, 16000000
/// bytes, hash …`. What differs is still different.
struct DocumentExcerpt {
    /// Documents up to this size are kept as they are.
    private static let wholeByteCountMax = 4096
    /// Values up to this size are shown.
    private static let valueByteCountMax = 1024
    /// Fields that are kept of each: more than are ever told.
    private static let fieldCountMax = 2 * FieldDifference.countMax
    /// How deep documents within documents are cut down; deeper ones are omitted.
    private static let depthMax = 100

    let first: BSONDocument
    let second: BSONDocument

    /// - Throws: `BSONError` for a document that can't be read.
    init(_ first: ArraySlice<UInt8>, _ second: ArraySlice<UInt8>) throws(BSONError) {
        guard max(first.count, second.count) > Self.wholeByteCountMax else {
            self.first = try BSONDocument(validating: Array(first))
            self.second = try BSONDocument(validating: Array(second))
            return
        }
        let (left, right) = try Self.excerpts(first, second, depth: 0)
        (self.first, self.second) = (left, right)
    }

    /// A value as it is, or what stands for it; a copy that keeps nothing else in memory.
    static func shown(_ value: BSONValue) -> BSONValue {
        guard value.bytes.count > valueByteCountMax else {
            return BSONValue(type: value.type, bytes: Array(value.bytes)[...])
        }
        var hash = DocumentFingerprint()
        value.bytes.withUnsafeBytes { hash.add($0) }
        return text("\(value.type), \(value.bytes.count) bytes, hash \(hash.hexadecimal)")
    }

    /// A text and not a document, for nobody is to look for differences within it.
    private static func text(_ what: String) -> BSONValue {
        let text = "$omitted: \(what)"
        let length = withUnsafeBytes(of: Int32(text.utf8.count + 1).littleEndian) { Array($0) }
        return BSONValue(type: .string, bytes: (length + text.utf8 + [0])[...])
    }

    /// Both walked side by side as long as their fields have the same names.
    private static func excerpts(
        _ first: ArraySlice<UInt8>, _ second: ArraySlice<UInt8>, depth: Int
    ) throws(BSONError) -> (BSONDocument, BSONDocument) {
        var (left, right) = (BSONElementReader(first), BSONElementReader(second))
        var (one, other) = (BSONBuilder(), BSONBuilder())
        var count = 0
        while count < fieldCountMax {
            let (own, theirs) = (try left.next(), try right.next())
            guard let own, let theirs, own.nameBytes == theirs.nameBytes else {
                try add(own, rest: &left, to: &one)
                try add(theirs, rest: &right, to: &other)
                break
            }
            guard own.value != theirs.value else { continue }
            count += 1
            let isNested =
                own.value.type == theirs.value.type && depth < depthMax
                && [.document, .array].contains(own.value.type)
            guard isNested else {
                one.append(own.name, shown(own.value))
                other.append(theirs.name, shown(theirs.value))
                continue
            }
            let (inner, otherInner) = try excerpts(
                own.value.bytes, theirs.value.bytes, depth: depth + 1)
            one.append(own.name, BSONValue(type: own.value.type, bytes: inner.bytes[...]))
            other.append(
                theirs.name, BSONValue(type: theirs.value.type, bytes: otherInner.bytes[...]))
        }
        return (one.document, other.document)
    }

    /// Fields from one on, where the two documents are no longer alike. Of very many it can't be
    /// said here which the other one has, too: then all of them are one value.
    private static func add(
        _ element: BSONElement?, rest reader: inout BSONElementReader,
        to builder: inout BSONBuilder
    ) throws(BSONError) {
        var next = element
        var fields: [BSONElement] = []
        while let element = next, fields.count <= restCountMax {
            fields.append(element)
            next = try reader.next()
        }
        guard fields.count <= restCountMax else {
            var hash = DocumentFingerprint()
            while let element = next {
                element.value.bytes.withUnsafeBytes { hash.add($0) }
                next = try reader.next()
            }
            for field in fields { field.value.bytes.withUnsafeBytes { hash.add($0) } }
            builder.append("", text("fields, hash \(hash.hexadecimal)"))
            return
        }
        for field in fields { builder.append(field.name, shown(field.value)) }
    }

    private static let restCountMax = 10_000
}
