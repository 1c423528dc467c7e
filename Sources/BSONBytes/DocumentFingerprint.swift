import CXXHash

/// What a set of documents is known by, whatever the order they are read in: the sum modulo 2^128
/// of the XXH3-128 of each document's bytes (seed 0). Two collections are equal when document count
/// and fingerprint are.
///
/// A sum, not an exclusive or: a document that occurs twice must not vanish.
public struct DocumentFingerprint: Hashable, Sendable {
    /// The sum so far; zero for no document.
    public private(set) var sum: UInt128

    public init(sum: UInt128 = 0) {
        self.sum = sum
    }

    /// Adds one document. Cost: one pass over its bytes at memory speed.
    public mutating func add(_ document: UnsafeRawBufferPointer) {
        let hash = XXH3_128bits(document.baseAddress, document.count)
        sum &+= UInt128(hash.high64) << 64 | UInt128(hash.low64)
    }

    /// Adds the documents of another set: addition has no order, so parts may be read in parallel.
    public mutating func add(_ other: DocumentFingerprint) {
        sum &+= other.sum
    }

    /// Sixteen bytes, little-endian.
    public var bytes: [UInt8] { withUnsafeBytes(of: sum.littleEndian) { Array($0) } }

    /// Reads what `bytes` wrote; nil unless there are sixteen of them.
    public init?(bytes: some Collection<UInt8>) {
        guard bytes.count == 16 else { return nil }
        sum = bytes.reversed().reduce(0) { $0 << 8 | UInt128($1) }
    }

    /// Thirty-two hexadecimal digits, most significant first.
    public var hexadecimal: String {
        let digits = String(sum, radix: 16)
        return String(repeating: "0", count: 32 - digits.count) + digits
    }
}
