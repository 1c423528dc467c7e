internal import ArchiveFormat

extension Kernel {
    /// CRC-64 over bytes, and the combination of two of them, which adds up chunks in file order.
    static let checksums = [
        Kernel(name: "crc64", unit: .megabyte) { sample in
            PreparedKernel(amount: sample.megabytes) {
                sample.bytes.withUnsafeBytes { CRC64.checksum($0) }
            }
        },
        Kernel(name: "crc64-combine", unit: .call) { sample in
            let callCount = 1000
            let sum = sample.bytes.withUnsafeBytes { CRC64.checksum($0) }
            // Lengths as chunks have them: all different, around 4 MiB.
            return PreparedKernel(amount: Double(callCount)) {
                (0..<UInt64(callCount)).reduce(sum) { total, call in
                    CRC64.combine(total, sum, secondByteCount: 4_190_000 + 7 * call)
                }
            }
        },
    ]
}
