extension BSONFraming {
    /// Walks all elements of a document, and of those in it: that every type is known, and every
    /// length fits. What a value means is not looked at.
    ///
    /// Cost: a pass over the names, and over the lengths of the values.
    /// - Parameter document: one framed document, as `documentByteCount` checks it.
    /// - Throws: `unknownType`, `truncated`, `missingTerminator`, `lengthOutOfBounds`, also for
    ///   documents nested deeper than `BSONLimits.nestingDepthMax`.
    public static func checkElements(of document: UnsafeRawBufferPointer) throws(BSONError) {
        try checkElements(of: document, depth: 1)
    }

    private static func checkElements(
        of document: UnsafeRawBufferPointer, depth: Int
    ) throws(BSONError) {
        guard depth <= BSONLimits.nestingDepthMax else {
            throw BSONError(
                .lengthOutOfBounds, "nested deeper than \(BSONLimits.nestingDepthMax) levels", at: 0
            )
        }
        var reader = RawElementReader(document)
        while let element = try reader.next() {
            guard element.value.type == .document || element.value.type == .array else { continue }
            try checkElements(of: element.value.bytes, depth: depth + 1)
        }
    }
}
