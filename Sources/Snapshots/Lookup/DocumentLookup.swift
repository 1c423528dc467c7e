internal import ArchiveEngine
public import ArchiveFormat
public import BSONBytes

/// Finds one document of an archive by its `_id`, reading only the chunks that may hold it. An
/// archive without an index is read from its start.
public struct DocumentLookup: Sendable {
    /// What was found.
    public struct Finding: Sendable {
        /// The first document with that `_id`; nil when there is none.
        public var document: BSONDocument?
        /// Chunks that were decoded for it.
        public var chunkCount: Int
    }

    private let location: ArchiveLocation
    private let width: Int

    /// - Parameter width: how many chunks are decoded at once.
    public init(_ location: ArchiveLocation, width: Int) {
        self.location = location
        self.width = width
    }

    /// - Throws: `notFound` when there is no such collection, `ArchiveError` for a damaged chunk.
    public func find(_ id: BSONValue, in namespace: Namespace) async throws -> Finding {
        let archive = try await location.open()
        let reader = archive.reader
        let found = try ArchivedNamespace(namespace, in: reader)
        let search = Search(id: id, namespace: found.descriptor.dataNamespace)
        reader.select([found.ordinal])
        var finding = Finding(document: nil, chunkCount: 0)
        var next = { try await reader.next() }
        if let indexed = archive.indexed {
            let chunks = indexed.chunks
            var waiting = chunks.candidates(found.ordinal, DocumentKey(id))[...]
            next = {
                guard let sequence = waiting.popFirst() else { return nil }
                return try await chunks.read(sequence)
            }
        }
        try await withOrderedWindow(
            width: width,
            next: { finding.document == nil ? try await next() : nil },
            transform: { (pending: PendingChunk) async throws -> BSONDocument? in
                try search.find(in: try pending.decoded())
            },
            deliver: { document in
                finding.chunkCount += 1
                finding.document = finding.document ?? document
            })
        return finding
    }

    private struct Search: Sendable {
        let id: BSONValue
        let namespace: Namespace

        func find(in chunk: DecodedChunk) throws -> BSONDocument? {
            let key = DocumentKey(id)
            return try chunk.bytes.withUnsafeBytes { bytes in
                for block in chunk.blocks where block.header.namespace == namespace {
                    var offset = block.documents.lowerBound
                    while offset < block.documents.upperBound {
                        let count = try BSONFraming.documentByteCount(in: bytes, at: offset)
                        let document = UnsafeRawBufferPointer(
                            rebasing: bytes[offset..<offset + count])
                        if try matches(document, key) {
                            return try BSONDocument(validating: Array(document))
                        }
                        offset += count
                    }
                }
                return nil
            }
        }

        private func matches(
            _ document: UnsafeRawBufferPointer, _ key: DocumentKey
        ) throws -> Bool {
            guard try DocumentKey(document: document) == key else { return false }
            return try BSONDocument(validating: Array(document)).first("_id")?.isSameID(as: id)
                ?? false
        }
    }
}
