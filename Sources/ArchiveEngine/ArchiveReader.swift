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
                while start < bytes.count {
                    let byteCount = try BSONFraming.documentByteCount(in: bytes, at: start)
                    try BSONFraming.checkElements(
                        of: UnsafeRawBufferPointer(rebasing: bytes[start..<start + byteCount]))
                    start += byteCount
                }
            }
        } catch {
            throw ArchiveError(
                .malformed, "\(file): a document is damaged: \(error)",
                offset: offset.map { $0 + UInt64(start) })
        }
    }
}
