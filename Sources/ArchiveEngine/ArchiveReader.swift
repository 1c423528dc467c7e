public import ArchiveFormat
internal import BSONBytes

/// An archive of any kind, read chunk by chunk in file order. Used by one task; the chunks it gives
/// are decoded by many.
public protocol ArchiveReader: AnyObject {
    /// Which namespaces the archive holds, and from which server.
    var prelude: ArchivePrelude { get }
    /// The manifest; nil for archives of other tools, and for one that comes through a pipe until
    /// its end was read.
    var manifest: Manifest? { get }
    /// Bytes of the whole archive as stored; nil for one that comes through a pipe.
    var storedByteCount: UInt64? { get }
    /// Positions in the prelude of namespaces that are known to lie whole in a chunk which they
    /// share with others.
    var smallNamespaces: Set<UInt32> { get }
    /// Whether its documents have checksums of any kind.
    var hasChecksums: Bool { get }
    /// What its user should know beside, one sentence each.
    var notes: [String] { get }

    /// Says which namespaces are wanted, by their positions in the prelude. A reader that can read
    /// them without the others gives no more than them. To be called before the first `next`.
    func select(_ ordinals: Set<UInt32>)

    /// Leaves out the rest of the namespace that is being read, or that could not be: `next`
    /// resumes with the one behind it.
    ///
    /// - Returns: false where what follows can't be read without what is left out.
    func leaveNamespace() -> Bool

    /// The next chunk, or nil at the archive's end, which is checked before nil is answered.
    ///
    /// - Throws: `ArchiveError`, or what the source throws.
    func next() async throws -> PendingChunk?
}

extension ArchiveReader {
    public var smallNamespaces: Set<UInt32> { [] }
    public var hasChecksums: Bool { true }
    public var notes: [String] { [] }
    public func select(_ ordinals: Set<UInt32>) {}
    public func leaveNamespace() -> Bool { false }
}

/// A chunk that was read but not yet decoded.
public struct PendingChunk: WeighedElement, Sendable {
    private enum Content: Sendable {
        case stored([UInt8], ChunkHeader, row: IndexRow?)
        case documents(MongodumpBlock.Header, [UInt8], DumpPlace?)
    }

    private let content: Content
    /// Bytes that it takes in the archive.
    public let storedByteCount: Int

    /// - Parameter row: what the index says of the chunk, when there is one.
    init(stored: [UInt8], header: ChunkHeader, row: IndexRow?) {
        content = .stored(stored, header, row: row)
        storedByteCount = stored.count
    }

    /// A run of documents out of a foreign archive, or the end of a namespace.
    ///
    /// - Parameter place: where documents are that have no checksum, so that each is looked into.
    init(
        header: MongodumpBlock.Header, documents: [UInt8], storedByteCount: Int,
        place: DumpPlace? = nil
    ) {
        content = .documents(header, documents, place)
        self.storedByteCount = storedByteCount
    }

    /// How many times a large chunk is in memory, with what is made of it.
    private var copyCount = 1

    /// Stored and decoded.
    public var heldByteCount: Int {
        switch content {
        case .documents(_, let documents, _): copyCount * documents.count
        case .stored(let stored, let header, _):
            copyCount * (stored.count + Int(clamping: header.rawByteCount))
        }
    }

    /// The same, for those who make text of it: of a single large document that takes several times
    /// its size.
    public var toBecomeText: PendingChunk {
        var chunk = self
        if heldByteCount > Self.largeByteCountMin { chunk.copyCount = 3 }
        return chunk
    }

    private static let largeByteCountMin = 12 * 1024 * 1024

    /// Checks and decodes it: a pure function, run in parallel.
    ///
    /// - Throws: `ArchiveError` before any of its documents can be used.
    public func decoded() throws(ArchiveError) -> DecodedChunk {
        switch content {
        case .documents(let header, let documents, let place):
            try place?.check(documents)
            return try DecodedChunk(header: header, documents: documents)
        case .stored(let stored, let header, let row):
            if let row {
                let isWhole = row.matches(header) && SHA256Digest(of: stored) == row.sha256
                guard isWhole else {
                    throw ArchiveError(
                        .checksumMismatch, "the chunk is not the one that the index knows",
                        chunk: header.sequence, offset: row.offset)
                }
            }
            return try DecodedChunk(stored: stored, header: header)
        }
    }
}

/// What is whole of a run of documents without checksums.
public struct WholeDocuments: Sendable {
    /// The documents; nil when there are none.
    public var chunk: PendingChunk?
    /// What is wrong with each of the others, with file and offset.
    public var damages: [ArchiveError]
    /// Whether nobody can tell where the documents behind the last damage begin: they are left out.
    public var isCut: Bool
}

extension PendingChunk {
    /// Takes damaged documents out of a run; nil for a chunk that has checksums.
    public func wholeDocuments() -> WholeDocuments? {
        guard case .documents(let header, let documents, let place?) = content else { return nil }
        var (whole, damages, isCut) = place.divided(documents)
        damages = damages.map { $0.located(namespace: header.namespace.description) }
        let chunk =
            whole.isEmpty
            ? nil
            : PendingChunk(
                header: header, documents: whole, storedByteCount: storedByteCount, place: place)
        return WholeDocuments(chunk: chunk, damages: damages, isCut: isCut)
    }
}

/// Where a run of documents begins in a file of a dump.
struct DumpPlace: Sendable {
    /// The file's name in the dump.
    var file: String
    /// Nil where places in the file are not places in its content.
    var offset: UInt64?

    /// Looks into each document, for nothing else tells whether it is as it was.
    ///
    /// - Throws: `malformed`, with file and offset.
    func check(_ documents: [UInt8]) throws(ArchiveError) {
        var start = 0
        do {
            try documents.withUnsafeBytes { bytes in
                while start < bytes.count { start = try Self.end(ofDocumentAt: start, in: bytes) }
            }
        } catch {
            throw damage(error, at: start)
        }
    }

    /// The end of a document that is whole in itself.
    private static func end(
        ofDocumentAt start: Int, in bytes: UnsafeRawBufferPointer
    ) throws(BSONError) -> Int {
        let byteCount = try BSONFraming.documentByteCount(in: bytes, at: start)
        try BSONFraming.checkElements(
            of: UnsafeRawBufferPointer(rebasing: bytes[start..<start + byteCount]))
        return start + byteCount
    }

    private func damage(_ error: any Error, at start: Int) -> ArchiveError {
        ArchiveError(
            .malformed, "\(file): a document is damaged: \(error)",
            offset: offset.map { $0 + UInt64(start) })
    }

    /// The documents that are whole. A damaged one may have a wrong length, and what stands behind
    /// that be a part of it; so those behind it count only when the next is whole and has an `_id`,
    /// as a part has not.
    func divided(_ documents: [UInt8]) -> ([UInt8], damages: [ArchiveError], isCut: Bool) {
        var whole: [UInt8] = []
        var damages: [ArchiveError] = []
        var start = 0
        while start < documents.count {
            let end = documents.withUnsafeBytes { bytes -> Int? in
                do { return try Self.end(ofDocumentAt: start, in: bytes) } catch {
                    damages.append(damage(error, at: start))
                    return nil
                }
            }
            if let end {
                whole += documents[start..<end]
                start = end
                continue
            }
            guard let next = Self.resumption(behind: start, in: documents) else {
                return (whole, damages, true)
            }
            start = next
        }
        return (whole, damages, false)
    }

    /// Where a document begins behind a damaged one, if that can be told.
    private static func resumption(behind start: Int, in documents: [UInt8]) -> Int? {
        documents.withUnsafeBytes { bytes in
            guard let byteCount = try? BSONFraming.documentByteCount(in: bytes, at: start),
                let end = try? self.end(ofDocumentAt: start + byteCount, in: bytes),
                let next = try? BSONDocument(
                    validating: Array(bytes[(start + byteCount)..<end])),
                (try? next.first("_id")) != nil
            else { return nil }
            return start + byteCount
        }
    }
}
