internal import ObjectStorage

/// The last stage: bytes go to the repository's disk and are synced.
extension Tune {
    private static let key = "tune-measurement"
    private static let fileByteCountMax: UInt64 = 256 * 1024 * 1024
    private static let writeByteCount = 1024 * 1024

    /// Carries a rate out of an upload, which is not published because of it.
    private struct Measured: Error {
        let bytesPerSecond: Double
    }

    /// Writes an object as a backup does, syncs it, and lets it go before it is published.
    func measureDisk() async throws -> Double {
        let bytes = Self.incompressibleBytes(count: Self.writeByteCount)
        do {
            return try await store.withUpload(key: Self.key) { upload -> Double in
                let stopwatch = try begin("writing to the repository's disk")
                var byteCount: UInt64 = 0
                while byteCount < Self.fileByteCountMax, !stopwatch.isOver {
                    try await upload.write(bytes)
                    byteCount += UInt64(bytes.count)
                }
                // A reader sees what is on stable storage.
                _ = try await upload.reader()
                throw Measured(bytesPerSecond: Double(byteCount) / stopwatch.seconds)
            }
        } catch let measured as Measured {
            return measured.bytesPerSecond
        }
    }

    /// The same ones every time; a file system that compresses makes nothing of them.
    private static func incompressibleBytes(count: Int) -> [UInt8] {
        var state: UInt64 = 0x9E37_79B9_7F4A_7C15
        return (0..<count).map { _ in
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return UInt8(truncatingIfNeeded: state >> 32)
        }
    }
}
