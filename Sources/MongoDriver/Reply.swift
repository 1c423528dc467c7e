import BSONBytes
import CMongoC

/// Owns a reply as the C library left it, so that batches of 16 MiB are never copied.
///
/// Unchecked: the call that fills the reply ends before anybody else gets to see the object; after
/// that it is only read, and freed by whoever lets go last.
final class Reply: @unchecked Sendable {
    /// A `bson_t`, initialized; given to a call that overwrites it.
    let pointer: OpaquePointer
    private let storage: UnsafeMutableRawPointer

    init() {
        storage = .allocate(
            byteCount: LibraryStruct.byteCount, alignment: LibraryStruct.byteCount)
        pointer = OpaquePointer(storage)
        // An empty document lives within the struct, so overwriting it leaks nothing.
        bson_init(pointer)
    }

    deinit {
        bson_destroy(pointer)
        storage.deallocate()
    }

    /// The whole reply; valid as long as this object.
    var bytes: UnsafeRawBufferPointer {
        let count = UnsafePointer<bson_t>(pointer).pointee.len
        return UnsafeRawBufferPointer(start: bson_get_data(pointer), count: Int(count))
    }

    /// A copy, for replies that are looked into.
    ///
    /// - Throws: `MongoError` with `protocolViolation`.
    func document() throws(MongoError) -> BSONDocument {
        do throws(BSONError) {
            return try BSONDocument(
                validating: Array(bytes), limit: BSONLimits.replyByteCountMax)
        } catch {
            throw MongoError(.protocolViolation, "the reply is no document: \(error)")
        }
    }

    /// Calls `body` with an iterator at the element that a path such as `cursor.id` leads to.
    ///
    /// - Returns: nil when there is no such element.
    func withElement<Result>(at path: String, _ body: (OpaquePointer) -> Result?) -> Result? {
        withUnsafeTemporaryAllocation(
            byteCount: 2 * LibraryStruct.byteCount, alignment: LibraryStruct.byteCount
        ) { storage in
            guard let base = storage.baseAddress else { return nil }
            let root = OpaquePointer(base)
            let element = OpaquePointer(base + LibraryStruct.byteCount)
            guard bson_iter_init(root, pointer), bson_iter_find_descendant(root, path, element)
            else { return nil }
            return body(element)
        }
    }

    /// The 64-bit integer that a path leads to.
    func int64(at path: String) -> Int64? {
        withElement(at: path) { element in
            bson_iter_type(element) == BSON_TYPE_INT64 ? bson_iter_int64(element) : nil
        }
    }

    /// The string that a path leads to.
    func string(at path: String) -> String? {
        withElement(at: path) { element in
            guard bson_iter_type(element) == BSON_TYPE_UTF8 else { return nil }
            var count: UInt32 = 0
            let text = UnsafeRawPointer(bson_iter_utf8(element, &count))
            let bytes = UnsafeRawBufferPointer(start: text, count: Int(count))
            return String(decoding: bytes, as: UTF8.self)
        }
    }
}
