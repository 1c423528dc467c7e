internal import BSONBytes

/// Whole mongodump blocks, ready to be compressed into one chunk.
public struct RawChunk: Sendable {
    /// A run of documents of one namespace within `bytes`.
    public struct Segment: Hashable, Sendable {
        public var namespaceOrdinal: UInt32
        public var documents: Range<Int>
        public var documentCount: Int
    }

    public var kind: ChunkKind
    /// The one namespace whose documents it holds, or `ChunkHeader.noNamespace`.
    public var namespaceOrdinal: UInt32
    public var bytes: [UInt8]
    public var segments: [Segment]
    public var blockCount: Int
    /// Whether this is the last data of its namespace, so that the namespace's end follows.
    public var closesNamespace = false

    /// A chunk that was made before, such as one that comes back from a file.
    public init(
        kind: ChunkKind, namespaceOrdinal: UInt32, bytes: [UInt8], segments: [Segment],
        blockCount: Int
    ) {
        self.kind = kind
        self.namespaceOrdinal = namespaceOrdinal
        self.bytes = bytes
        self.segments = segments
        self.blockCount = blockCount
    }
}

/// Puts documents into blocks and blocks into a chunk; each document is copied once, to the place
/// it is compressed from.
public struct RawChunkBuilder: Sendable {
    private var chunk: RawChunk
    private var open: RawChunk.Segment?

    /// - Parameter capacityByteCount: how much the chunk is expected to hold; it may hold more.
    public init(
        _ kind: ChunkKind, namespaceOrdinal: UInt32 = ChunkHeader.noNamespace,
        capacityByteCount: Int
    ) {
        chunk = RawChunk(
            kind: kind, namespaceOrdinal: namespaceOrdinal, bytes: [], segments: [], blockCount: 0)
        chunk.bytes.reserveCapacity(capacityByteCount)
    }

    /// Bytes so far, headers and terminators included.
    public var byteCount: Int { chunk.bytes.count }
    public var isEmpty: Bool { chunk.bytes.isEmpty }

    /// Starts a block of documents.
    public mutating func beginBlock(_ namespace: Namespace, ordinal: UInt32) {
        precondition(open == nil, "the block before has ended")
        chunk.bytes.append(contentsOf: MongodumpBlock.Header(namespace).document.bytes)
        open = RawChunk.Segment(
            namespaceOrdinal: ordinal, documents: byteCount..<byteCount, documentCount: 0)
    }

    /// Adds a document to the open block. Its framing has been checked by whoever read it.
    public mutating func append(_ document: UnsafeRawBufferPointer) {
        chunk.bytes.append(contentsOf: document)
        open?.documentCount += 1
    }

    /// The last bytes of the open block.
    public func suffix(_ byteCount: Int) -> [UInt8] { Array(chunk.bytes.suffix(byteCount)) }

    /// Ends the open block.
    public mutating func endBlock() {
        guard var segment = open else { preconditionFailure("a block is open") }
        segment.documents = segment.documents.lowerBound..<byteCount
        chunk.bytes.append(contentsOf: MongodumpBlock.terminator)
        chunk.segments.append(segment)
        chunk.blockCount += 1
        open = nil
    }

    /// Adds the block that ends a namespace.
    public mutating func appendEnd(of namespace: Namespace, crc64: UInt64) {
        precondition(open == nil, "the block before has ended")
        let header = MongodumpBlock.Header(namespace, isEnd: true, crc64: crc64)
        chunk.bytes.append(contentsOf: header.document.bytes)
        chunk.bytes.append(contentsOf: MongodumpBlock.terminator)
        chunk.blockCount += 1
    }

    /// Takes over all blocks of another chunk.
    public mutating func append(_ other: RawChunk) {
        precondition(open == nil, "the block before has ended")
        let shift = byteCount
        chunk.bytes.append(contentsOf: other.bytes)
        chunk.blockCount += other.blockCount
        chunk.segments += other.segments.map { segment in
            var moved = segment
            moved.documents =
                segment.documents.lowerBound + shift..<segment.documents.upperBound + shift
            return moved
        }
    }

    /// The chunk so far; no block may be open.
    public func finished(closesNamespace: Bool = false) -> RawChunk {
        precondition(open == nil, "the last block has ended")
        var finished = chunk
        finished.closesNamespace = closesNamespace
        return finished
    }
}

extension RawChunk {
    /// A chunk of bytes that are no blocks: a piece of the prelude.
    static func prelude(_ bytes: [UInt8]) -> RawChunk {
        RawChunk(
            kind: .prelude, namespaceOrdinal: ChunkHeader.noNamespace, bytes: bytes, segments: [],
            blockCount: 0)
    }
}
