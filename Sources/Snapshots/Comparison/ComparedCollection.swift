internal import ArchiveEngine
internal import ArchiveFormat
internal import BSONBytes

/// A collection of one of two snapshots, on its way through a comparison.
struct ComparedCollection: Sendable {
    /// A document, by what it is known by and what it is.
    struct Entry: Sendable {
        let identity: DocumentIdentity
        let content: DocumentFingerprint
        let place: Place
    }

    /// Where a document is: the chunk, and where in its decoded bytes.
    struct Place: Sendable {
        let sequence: UInt32
        let offset: UInt32
        let byteCount: UInt32
    }

    /// A chunk's documents.
    struct Content: Sendable {
        let entries: [Entry]
        let bytes: [UInt8]

        func document(_ place: Place) throws -> BSONDocument {
            let start = Int(place.offset)
            return try BSONDocument(validating: Array(bytes[start..<start + Int(place.byteCount)]))
        }
    }

    let chunks: IndexedChunks
    let entry: Manifest.NamespaceEntry
    /// Chunks that hold documents of it.
    var sequences: [UInt32]

    init(_ chunks: IndexedChunks, _ ordinal: UInt32) {
        self.chunks = chunks
        entry = chunks.index.manifest.namespaces[Int(ordinal)]
        sequences = (entry.chunks.map(Array.init) ?? []).filter { sequence in
            let row = chunks.index.rows[Int(sequence)]
            return row.kind != .end && row.documentCount > 0
        }
    }

    /// What two chunks have in common that hold the same documents in the same order; nil for one
    /// that holds several namespaces.
    struct Likeness: Hashable {
        let documentCount: UInt32
        let byteCount: UInt64
        let crc64: UInt64
    }

    func likeness(_ sequence: UInt32) -> Likeness? {
        let row = chunks.index.rows[Int(sequence)]
        guard row.kind != .mixed else { return nil }
        return Likeness(
            documentCount: row.documentCount, byteCount: row.documentByteCount,
            crc64: row.documentCRC64)
    }

    func documentCount(_ sequence: UInt32) -> UInt64 {
        UInt64(chunks.index.rows[Int(sequence)].documentCount)
    }

    /// Documents of one chunk that belong to a part of all.
    ///
    /// - Throws: `ArchiveError` for a damaged chunk, `BSONError` for a damaged document.
    func content(_ sequence: UInt32, part: Int, of count: Int) async throws -> Content {
        let chunk = try await chunks.read(sequence).decoded()
        let name = entry.descriptor.dataNamespace
        let entries = try chunk.bytes.withUnsafeBytes { bytes in
            var entries: [Entry] = []
            for block in chunk.blocks where block.header.namespace == name {
                var offset = block.documents.lowerBound
                while offset < block.documents.upperBound {
                    let byteCount = try BSONFraming.documentByteCount(in: bytes, at: offset)
                    let document = UnsafeRawBufferPointer(
                        rebasing: bytes[offset..<offset + byteCount])
                    let identity = try DocumentIdentity(document)
                    if identity.part(of: count) == part {
                        var content = DocumentFingerprint()
                        content.add(document)
                        let place = Place(
                            sequence: sequence, offset: UInt32(offset),
                            byteCount: UInt32(byteCount))
                        entries.append(
                            Entry(identity: identity, content: content, place: place))
                    }
                    offset += byteCount
                }
            }
            return entries
        }
        return Content(entries: entries, bytes: chunk.bytes)
    }

    /// One document again.
    func document(_ place: Place) async throws -> BSONDocument {
        let chunk = try await chunks.read(place.sequence).decoded()
        return try Content(entries: [], bytes: chunk.bytes).document(place)
    }
}
