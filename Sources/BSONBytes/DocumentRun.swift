internal import Glibc

/// Documents that follow each other in a buffer, each framed by its own length.
public enum DocumentRun {
    /// Where each document is.
    ///
    /// - Throws: `BSONError` when they are not whole documents.
    public static func split(_ bytes: ArraySlice<UInt8>) throws -> [ArraySlice<UInt8>] {
        var documents: [ArraySlice<UInt8>] = []
        try bytes.withUnsafeBytes { buffer in
            var offset = 0
            while offset < buffer.count {
                let count = try BSONFraming.documentByteCount(in: buffer, at: offset)
                let start = bytes.startIndex + offset
                documents.append(bytes[start..<start + count])
                offset += count
            }
        }
        return documents
    }

    /// A document's `_id`, of a document in borrowed bytes.
    ///
    /// - Throws: `BSONError`.
    public static func identifier(_ document: UnsafeRawBufferPointer) throws -> BSONValue? {
        var reader = RawElementReader(document)
        while let (name, value) = try reader.next() {
            guard name.elementsEqual("_id".utf8) else { continue }
            return BSONValue(type: value.type, bytes: Array(value.bytes)[...])
        }
        return nil
    }

    /// A document's `_id`, as a copy that does not keep the rest in memory; nil where there is
    /// none.
    public static func identifier(_ document: ArraySlice<UInt8>) throws -> BSONValue? {
        var reader = BSONElementReader(document)
        while let element = try reader.next() {
            guard element.nameBytes.elementsEqual("_id".utf8) else { continue }
            return BSONValue(type: element.value.type, bytes: Array(element.value.bytes)[...])
        }
        return nil
    }

    /// Whether a field of the document itself, but for the `_id`, is `Timestamp(0,0)`.
    public static func hasEmptyTimestamp(_ document: ArraySlice<UInt8>) throws -> Bool {
        try document.withUnsafeBytes { try hasEmptyTimestamp($0) }
    }

    /// Whether there is such a document among whole documents, one after another.
    public static func containsEmptyTimestamp(_ documents: ArraySlice<UInt8>) throws -> Bool {
        try documents.withUnsafeBytes { bytes in
            var isFound = false
            try BSONFraming.forEachDocument(in: bytes) { document in
                isFound = try isFound || hasEmptyTimestamp(document)
            }
            return isFound
        }
    }

    private static func hasEmptyTimestamp(_ document: UnsafeRawBufferPointer) throws -> Bool {
        guard document.mayHoldEmptyTimestamp() else { return false }
        var reader = RawElementReader(document)
        while let (name, value) = try reader.next() {
            guard value.type == .timestamp, value.integer(as: UInt64.self) == 0 else { continue }
            if !name.elementsEqual("_id".utf8) { return true }
        }
        return false
    }

    /// Whether a field of the document itself has a name that a replacement update does not take.
    public static func hasDollarName(_ document: ArraySlice<UInt8>) throws -> Bool {
        var reader = BSONElementReader(document)
        while let element = try reader.next() {
            if element.nameBytes.first == UInt8(ascii: "$") { return true }
        }
        return false
    }
}

extension UnsafeRawBufferPointer {
    /// Whether there is a byte that could be the type of a timestamp, and behind it what could be
    /// the end of a name and eight zero bytes. Hardly any document has that by chance.
    fileprivate func mayHoldEmptyTimestamp() -> Bool {
        guard let start = baseAddress else { return false }
        var rest = self[...]
        while let hit = memchr(
            start + rest.startIndex, Int32(BSONType.timestamp.rawValue), rest.count)
        {
            rest = rest[(UnsafeRawPointer(hit) - start + 1)...]
            guard let end = memchr(start + rest.startIndex, 0, rest.count) else { return false }
            let value = UnsafeRawPointer(end) - start + 1
            guard value + 8 <= count else { return false }
            if loadUnaligned(fromByteOffset: value, as: UInt64.self) == 0 { return true }
        }
        return false
    }
}
