internal import BSONBytes

/// The grammar of a delta: what an update of `$v: 2` has as `diff`.
///
/// ```
/// diff   := [d: {name: false…}] [u: {name: value…}] [i: {name: value…}]
///           [b: {name: {o: offset, d: bytes}…}] (s<name>: diff | array)*
/// array  := a: true [l: length] (u<index>: value | s<index>: diff | array)*
/// ```
///
/// Servers check little of it when they apply entries that a user sends: an index at or beyond `l`
/// has ended a whole server. So all of it is checked here before any is sent.
struct DocumentDiff {
    /// The most elements of an array: with a null for each, a document of 16 MiB is full before.
    static let arrayElementCountMax = 2 * 1024 * 1024

    /// A defect, in words that quote nothing of a document.
    struct Defect: Error {
        let reason: String

        init(_ reason: String) { self.reason = reason }
    }

    /// Whether it has a binary section, which servers before 7.1 do not know.
    private(set) var hasBinarySection = false
    /// What the delta makes of the `_id`; nil where it is left alone.
    private(set) var newID: BSONValue?

    /// - Throws: `Defect`; `BSONError` for a document that can't be read.
    init(_ diff: BSONDocument) throws {
        try checkDocument(diff.bytes[...], depth: 0)
    }

    /// The sections that name fields, in the order in which they must come.
    private static let sections: [UInt8] = Array("duib".utf8)

    private mutating func checkDocument(_ bytes: ArraySlice<UInt8>, depth: Int) throws {
        guard depth < BSONLimits.nestingDepthMax else { throw Defect("a diff is too deep") }
        var reader = BSONElementReader(bytes)
        var names: Set<ArraySlice<UInt8>> = []
        var position = 0
        var isEmpty = true
        while let element = try reader.next() {
            isEmpty = false
            guard let letter = element.nameBytes.first else {
                throw Defect("a diff has a section without a name")
            }
            if letter == UInt8(ascii: "s") {
                position = Self.sections.count
                try checkNested(element, depth, &names)
                continue
            }
            guard element.nameBytes.count == 1,
                let section = Self.sections[min(position, Self.sections.count)...]
                    .firstIndex(of: letter)
            else { throw Defect("a diff has an unknown section, or one out of order") }
            position = section + 1
            try checkSection(letter, element.value, depth, &names)
        }
        guard !isEmpty else { throw Defect("a diff is empty") }
    }

    private mutating func checkNested(
        _ element: BSONElement, _ depth: Int, _ names: inout Set<ArraySlice<UInt8>>
    ) throws {
        let name = element.nameBytes.dropFirst()
        try Self.enter(name, &names)
        if depth == 0, Self.isID(name) { throw Defect("a diff changes a part of the _id") }
        guard element.value.type == .document else {
            throw Defect("a diff of a field is no document")
        }
        try checkEither(element.value.bytes, depth: depth + 1)
    }

    /// A diff of an array begins with `a`, and no other does.
    private mutating func checkEither(_ bytes: ArraySlice<UInt8>, depth: Int) throws {
        var reader = BSONElementReader(bytes)
        if let first = try reader.next(), first.nameBytes.elementsEqual("a".utf8) {
            try checkArray(bytes, depth: depth)
        } else {
            try checkDocument(bytes, depth: depth)
        }
    }

    private mutating func checkSection(
        _ letter: UInt8, _ value: BSONValue, _ depth: Int,
        _ names: inout Set<ArraySlice<UInt8>>
    ) throws {
        guard value.type == .document else { throw Defect("a section is no document") }
        var reader = BSONElementReader(value.bytes)
        var isEmpty = true
        while let field = try reader.next() {
            isEmpty = false
            try Self.enter(field.nameBytes, &names)
            let isID = depth == 0 && Self.isID(field.nameBytes)
            switch letter {
            case UInt8(ascii: "d"):
                guard field.value.bool == false else {
                    throw Defect("a removed field has a value other than false")
                }
                if isID { throw Defect("a diff removes the _id") }
            case UInt8(ascii: "b"):
                hasBinarySection = true
                if isID { throw Defect("a diff changes a part of the _id") }
                try Self.checkBinary(field.value)
            default:
                if isID { newID = field.value }
            }
        }
        guard !isEmpty else { throw Defect("a section is empty") }
    }

    /// New bytes of a binary value from an offset on.
    private static func checkBinary(_ value: BSONValue) throws {
        guard let fields = try value.document?.elements(), fields.count == 2,
            fields[0].name == "o", let offset = fields[0].value.int32,
            fields[1].name == "d", fields[1].value.type == .binary
        else { throw Defect("a binary section has no o and d") }
        guard (0...BSONLimits.documentByteCountMax).contains(Int(offset)) else {
            throw Defect("an offset of a binary section is out of bounds")
        }
    }

    private mutating func checkArray(_ bytes: ArraySlice<UInt8>, depth: Int) throws {
        guard depth < BSONLimits.nestingDepthMax else { throw Defect("a diff is too deep") }
        var reader = BSONElementReader(bytes)
        guard try reader.next()?.value.bool == true else {
            throw Defect("a diff of an array does not begin with a: true")
        }
        var length = Self.arrayElementCountMax
        var next = 0
        var isFirst = true
        while let element = try reader.next() {
            defer { isFirst = false }
            if isFirst, element.nameBytes.elementsEqual("l".utf8) {
                guard let given = element.value.int32, (0...length).contains(Int(given)) else {
                    throw Defect("a length of an array is out of bounds")
                }
                length = Int(given)
                continue
            }
            guard let index = Self.index(element.nameBytes.dropFirst()) else {
                throw Defect("an array has an unknown section, or an index that is no number")
            }
            guard index < length else { throw Defect("an index is beyond its array's length") }
            guard index >= next else { throw Defect("indexes of an array do not ascend") }
            next = index + 1
            switch element.nameBytes.first {
            case UInt8(ascii: "u"): continue
            case UInt8(ascii: "s"):
                guard element.value.type == .document else {
                    throw Defect("a diff of an array's element is no document")
                }
                try checkEither(element.value.bytes, depth: depth + 1)
            default: throw Defect("an array has an unknown section")
            }
        }
    }

    private static func enter(
        _ name: ArraySlice<UInt8>, _ names: inout Set<ArraySlice<UInt8>>
    ) throws {
        guard names.insert(name).inserted else {
            throw Defect("a field is in a diff more than once")
        }
    }

    private static func isID(_ name: ArraySlice<UInt8>) -> Bool {
        name.elementsEqual("_id".utf8)
    }

    /// An index as it is written in the only way that servers write it: decimal digits, none too
    /// many.
    private static func index(_ digits: ArraySlice<UInt8>) -> Int? {
        guard (1...7).contains(digits.count), digits.first != UInt8(ascii: "0") || digits.count == 1
        else { return nil }
        var index = 0
        for digit in digits {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) else { return nil }
            index = index * 10 + Int(digit - UInt8(ascii: "0"))
        }
        return index
    }
}
