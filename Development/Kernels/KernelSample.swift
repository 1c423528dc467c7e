internal import BSONBytes
internal import SampleData

/// Documents for kernels to work on: a small data set of every collection, one after the other. The
/// same on every machine.
public struct KernelSample: Sendable {
    /// The documents, one directly after the other.
    let bytes: [UInt8]
    /// Where each document is in `bytes`.
    let ranges: [Range<Int>]

    /// What the documents of a data set have on average.
    private static let documentByteCount = 860

    /// - Parameter byteCount: about how many bytes of documents, at least 100,000 so that each
    ///   collection has some.
    /// - Throws: never in practice; `BSONError` if a sample document were not framed well.
    public init(byteCount: Int) throws {
        let set = SampleDataSet(seed: 1, documentCount: byteCount / Self.documentByteCount)
        var bytes: [UInt8] = []
        for collection in set.collections {
            collection.append(0..<collection.documentCount, to: &bytes)
        }
        var ranges: [Range<Int>] = []
        var end = 0
        try bytes.withUnsafeBytes { buffer in
            try BSONFraming.forEachDocument(in: buffer) { document in
                ranges.append(end..<end + document.count)
                end += document.count
            }
        }
        self.bytes = bytes
        self.ranges = ranges
    }

    /// Millions of bytes.
    var megabytes: Double { Double(bytes.count) / 1_000_000 }
    var documentCount: Double { Double(ranges.count) }

    /// Calls `body` with each document, without checking its framing again.
    func forEachDocument(_ body: (UnsafeRawBufferPointer) throws -> Void) rethrows {
        try bytes.withUnsafeBytes { buffer in
            for range in ranges { try body(UnsafeRawBufferPointer(rebasing: buffer[range])) }
        }
    }
}
