internal import ArchiveFormat
internal import BSONBytes

extension Kernel {
    /// What is done with every single document: the walk, its hash, its key, and all that a chunk
    /// wants to know of its documents.
    static let documents = [
        Kernel(name: "framing", unit: .document) { sample in
            PreparedKernel(amount: sample.documentCount) {
                var count: UInt64 = 0
                try sample.bytes.withUnsafeBytes { bytes in
                    try BSONFraming.forEachDocument(in: bytes) { count &+= UInt64($0.count) }
                }
                return count
            }
        },
        Kernel(name: "fingerprint", unit: .document) { sample in
            PreparedKernel(amount: sample.documentCount) {
                var fingerprint = DocumentFingerprint()
                sample.forEachDocument { fingerprint.add($0) }
                return UInt64(truncatingIfNeeded: fingerprint.sum)
            }
        },
        Kernel(name: "key", unit: .document) { sample in
            PreparedKernel(amount: sample.documentCount) {
                var largest: DocumentKey?
                try sample.forEachDocument { document in
                    guard let key = try DocumentKey(document: document) else { return }
                    largest = largest.map { max($0, key) } ?? key
                }
                return UInt64(largest?.byteCount ?? 0)
            }
        },
        Kernel(name: "totals", unit: .document) { sample in
            PreparedKernel(amount: sample.documentCount) {
                try sample.bytes.withUnsafeBytes { try DocumentTotals(of: $0).crc64 }
            }
        },
    ]
}
