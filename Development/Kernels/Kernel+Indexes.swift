internal import ArchiveFormat

extension Kernel {
    /// Writing and opening the index of an archive of 10,000 chunks, which is 40 GB of documents.
    static let indexes = [
        Kernel(name: "index-encode", unit: .row) { sample in
            let index = try sampleIndex(sample)
            let offset = end(of: index)
            return PreparedKernel(amount: Double(index.rows.count)) {
                UInt64(try index.frames(at: offset).bytes.count)
            }
        },
        Kernel(name: "index-open", unit: .row) { sample in
            let index = try sampleIndex(sample)
            let offset = end(of: index)
            let stored = try index.frames(at: offset).bytes
            return PreparedKernel(amount: Double(index.rows.count)) {
                let (trailer, header) = try ArchiveTrailer.find(
                    in: stored[...], fileByteCount: offset + UInt64(stored.count))
                let frames = Array(stored.prefix(Int(trailer.indexStoredByteCount)))
                let opened = try ArchiveIndex(stored: frames, trailer: trailer, header: header)
                return opened.rows.reduce(0) { $0 &+ $1.offset }
            }
        },
    ]

    /// Rows of one chunk, at ten thousand places.
    private static func sampleIndex(_ sample: KernelSample) throws -> ArchiveIndex {
        let rowCount: UInt64 = 10_000
        let chunk = try sample.encodedChunk()
        let digest = SHA256Digest(of: chunk.stored)
        let byteCount = UInt64(chunk.stored.count)
        var manifest = Manifest(
            id: "20260101T000000Z-manual-000000", tool: "cairn-kernels", startedAt: 0,
            source: Manifest.Source(hosts: [], serverVersion: "6.0.5", replicaSet: nil),
            consistency: .none, selection: Manifest.Selection(), compression: .standard)
        var entry = Manifest.NamespaceEntry(
            NamespaceDescriptor(namespace: KernelSample.namespace, type: .collection))
        entry.chunks = 0...UInt32(rowCount) - 1
        manifest.namespaces = [entry]
        let rows = (0..<rowCount).map { row in
            IndexRow(chunk, offset: row * byteCount, sha256: digest)
        }
        return ArchiveIndex(manifest: manifest, rows: rows)
    }

    /// Where the index would begin in the file.
    private static func end(of index: ArchiveIndex) -> UInt64 {
        index.rows.reduce(0) { $0 + $1.storedByteCount }
    }
}
