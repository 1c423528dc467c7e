import CMongoC

/// Size and alignment of the C library's own structs: Swift sees them as opaque, for Debian's
/// headers align them to 128 bytes.
enum LibraryStruct {
    /// Bytes of a `bson_t` and of a `bson_iter_t`, and their alignment.
    static let byteCount = 128
}

/// Calls `body` with a `bson_t` that points at `bytes`, without copying them.
///
/// - Returns: what `body` returns, or nil when the bytes are not one document by their length and
///   terminator.
func withBorrowedDocument<Result>(
    _ bytes: UnsafeRawBufferPointer, _ body: (OpaquePointer) -> Result
) -> Result? {
    withUnsafeTemporaryAllocation(
        byteCount: LibraryStruct.byteCount, alignment: LibraryStruct.byteCount
    ) { storage in
        guard let base = storage.baseAddress else { return nil }
        let document = OpaquePointer(base)
        let start = bytes.bindMemory(to: UInt8.self).baseAddress
        guard bson_init_static(document, start, bytes.count) else { return nil }
        return body(document)
    }
}
