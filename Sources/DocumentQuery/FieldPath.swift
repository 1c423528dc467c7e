internal import BSONBytes
internal import Glibc

/// A field's dotted name, and the way it leads through a document: through documents by name,
/// through arrays into each document of theirs and by position.
struct FieldPath: Sendable {
    private struct Part: Sendable {
        let name: [UInt8]
        /// Whether it may be a position in an array.
        let isPosition: Bool
    }

    private let parts: [Part]

    /// The name as it was given.
    let name: String

    init(_ name: String) {
        self.name = name
        parts = name.split(separator: ".", omittingEmptySubsequences: false).map {
            let isPosition = !$0.isEmpty && $0.utf8.allSatisfy { (0x30...0x39).contains($0) }
            return Part(name: Array($0.utf8), isPosition: isPosition)
        }
    }

    /// Whether `test` is true of some value that the path leads to. Of an array at its end the
    /// elements are tested and then the array itself; nil is tested where a document lacks the
    /// field.
    ///
    /// - Parameters:
    ///   - divides: whether an array at the path's end is divided into its elements.
    ///   - test: called once a value, until it answers true.
    /// - Throws: `BSONError` when an element on the way does not fit, and what `test` throws.
    func leads(
        in document: UnsafeRawBufferPointer, dividing divides: Bool,
        to test: (RawValue?) throws(BSONError) -> Bool
    ) throws(BSONError) -> Bool {
        try leads(document, 0, divides, test)
    }

    private func leads(
        _ document: UnsafeRawBufferPointer, _ first: Int, _ divides: Bool,
        _ test: (RawValue?) throws(BSONError) -> Bool
    ) throws(BSONError) -> Bool {
        var document = document
        var position = first
        while true {
            let isLast = position + 1 == parts.count
            guard let found = try value(named: parts[position].name, of: document) else {
                return try test(nil)
            }
            switch found.type {
            case .document where !isLast:
                document = found.bytes
                position += 1
            case .array where !isLast || divides:
                return try leadsThrough(found, position + 1, divides, test)
            default: return try test(isLast ? found : nil)
            }
        }
    }

    /// - Parameter rest: the first part that the array itself did not use up.
    private func leadsThrough(
        _ array: RawValue, _ rest: Int, _ divides: Bool,
        _ test: (RawValue?) throws(BSONError) -> Bool
    ) throws(BSONError) -> Bool {
        var elements = RawElementReader(array.bytes)
        guard rest < parts.count else {
            while let (_, element) = try elements.next() {
                if try test(element) { return true }
            }
            return try test(array)
        }
        let part = parts[rest]
        while let (name, element) = try elements.next() {
            if element.type == .document, try leads(element.bytes, rest, divides, test) {
                return true
            }
            guard part.isPosition, Self.isEqual(name, part.name) else { continue }
            if rest + 1 == parts.count {
                if try test(element) { return true }
            } else if element.type == .document {
                if try leads(element.bytes, rest + 1, divides, test) { return true }
            } else if element.type == .array {
                if try leadsThrough(element, rest + 1, divides, test) { return true }
            }
        }
        return false
    }

    private func value(
        named name: [UInt8], of document: UnsafeRawBufferPointer
    ) throws(BSONError) -> RawValue? {
        var elements = RawElementReader(document)
        while let (elementName, value) = try elements.next() {
            if Self.isEqual(elementName, name) { return value }
        }
        return nil
    }

    private static func isEqual(_ name: UnsafeRawBufferPointer, _ other: [UInt8]) -> Bool {
        guard name.count == other.count else { return false }
        guard let start = name.baseAddress, name.count > 0 else { return true }
        return memcmp(start, other, name.count) == 0
    }
}
