internal import ArchiveFormat

extension Kernel {
    /// What a worker of a backup and of a restore does with a chunk, at default settings.
    static let chunks = [
        Kernel(name: "chunk-build", unit: .document) { sample in
            PreparedKernel(amount: sample.documentCount) {
                UInt64(sample.chunk().bytes.count)
            }
        },
        Kernel(name: "chunk-encode", unit: .megabyte) { sample in
            let chunk = sample.chunk()
            return PreparedKernel(amount: sample.megabytes) {
                let encoded = try EncodedChunk(chunk, sequence: 0, compression: .standard)
                return encoded.header.payloadCRC64
            }
        },
        Kernel(name: "chunk-decode", unit: .megabyte) { sample in
            let encoded = try sample.encodedChunk()
            return PreparedKernel(amount: sample.megabytes) {
                let decoded = try DecodedChunk(stored: encoded.stored, header: encoded.header)
                return decoded.blocks.reduce(0) { $0 &+ $1.totals.crc64 }
            }
        },
    ]
}
