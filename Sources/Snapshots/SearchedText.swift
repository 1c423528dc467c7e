/// Bytes that are searched for in others (Knuth, Morris and Pratt): finding them takes the sum of
/// both lengths, whatever they are.
struct SearchedText: Hashable, Sendable {
    let bytes: [UInt8]
    /// For each beginning of the bytes, how many of its last bytes are a shorter beginning.
    private let borders: [Int]

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        var borders = [Int](repeating: 0, count: bytes.count)
        var length = 0
        for position in bytes.indices.dropFirst() {
            while length > 0, bytes[position] != bytes[length] { length = borders[length - 1] }
            if bytes[position] == bytes[length] { length += 1 }
            borders[position] = length
        }
        self.borders = borders
    }

    /// Where they are first found between two positions.
    ///
    /// - Parameter stepCount: grows by the number of comparisons.
    func firstPosition(
        in text: UnsafeBufferPointer<UInt8>, from start: Int, to end: Int, _ stepCount: inout Int
    ) -> Int? {
        if bytes.isEmpty { return start }
        var length = 0
        var position = start
        while position < end {
            stepCount += 1
            if text[position] == bytes[length] {
                length += 1
                position += 1
                if length == bytes.count { return position - length }
            } else if length > 0 {
                length = borders[length - 1]
            } else {
                position += 1
            }
        }
        return nil
    }

    /// Whether they are found at a position; the text reaches that far.
    func isFound(
        in text: UnsafeBufferPointer<UInt8>, at start: Int, _ stepCount: inout Int
    ) -> Bool {
        for offset in bytes.indices {
            stepCount += 1
            if text[start + offset] != bytes[offset] { return false }
        }
        return true
    }
}
