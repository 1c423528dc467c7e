import BSONBytes

/// Cuts a run of documents into batches that a server takes in one message.
struct DocumentBatches {
    /// Some documents of the run, one after another.
    struct Batch {
        var documents: ArraySlice<UInt8>
        /// Length of each.
        var lengths: [Int]
    }

    /// Bytes around a document in an array: its type, its index of at most six digits, a zero.
    static let wrappingByteCountMax = 8

    private let documents: ArraySlice<UInt8>
    private let documentCountMax: Int
    private let byteCountMax: Int
    private var offset = 0

    /// - Parameters:
    ///   - documents: whole documents, one after another.
    ///   - documentCountMax: of one batch; 1 to `InsertOptions.documentCountLimit` are heeded.
    ///   - byteCountMax: of one batch with the wrapping; a single document may be larger.
    init(_ documents: ArraySlice<UInt8>, documentCountMax: Int, byteCountMax: Int) {
        self.documents = documents
        self.documentCountMax = min(max(documentCountMax, 1), InsertOptions.documentCountLimit)
        self.byteCountMax = byteCountMax
    }

    /// The next batch, or nil at the end.
    ///
    /// - Throws: `BSONError` when the run is not made of whole documents.
    mutating func next() throws(BSONError) -> Batch? {
        let lengths = try nextLengths()
        guard !lengths.isEmpty else { return nil }
        let start = documents.startIndex + offset
        offset += lengths.reduce(0, +)
        return Batch(
            documents: documents[start..<documents.startIndex + offset], lengths: lengths)
    }

    private func nextLengths() throws(BSONError) -> [Int] {
        let outcome: Result<[Int], BSONError> = documents.withUnsafeBytes { bytes in
            var lengths: [Int] = []
            var position = offset
            var byteCount = 0
            do throws(BSONError) {
                while position < bytes.count, lengths.count < documentCountMax {
                    let length = try BSONFraming.documentByteCount(in: bytes, at: position)
                    byteCount += length + Self.wrappingByteCountMax
                    guard byteCount <= byteCountMax || lengths.isEmpty else { break }
                    lengths.append(length)
                    position += length
                }
                return .success(lengths)
            } catch { return .failure(error) }
        }
        return try outcome.get()
    }
}
