public import ArchiveFormat

/// Finds out what of a damaged archive of Cairn's is still whole, and takes nothing for it that is
/// not its own: documents may hold archives, and files may hold more than one.
public enum ArchiveSalvager {
    /// A chunk that passed every check that can be made on it alone.
    public struct WholeChunk: Sendable {
        public var offset: UInt64
        public var header: ChunkHeader
        public var blocks: [MongodumpBlock.Block]
    }

    /// A chunk that is not whole any more, or gone.
    public struct LostChunk: Sendable {
        public var sequence: UInt32
        /// What the chunk says of itself, where its header is whole.
        public var header: ChunkHeader?
        /// What the index says of it, where that is whole.
        public var row: IndexRow?
    }

    /// What was found.
    public struct Findings: Sendable {
        /// From the prelude's own chunks; nil unless all of them are whole, and where there is an
        /// index, which says the same.
        public var prelude: ArchivePrelude?
        /// Nil when the index is damaged or gone.
        public var index: ArchiveIndex?
        /// Chunks of documents, in the order in which they were written, each once.
        public var whole: [WholeChunk] = []
        /// Chunks of all kinds that hold blocks, as far as something is known of them. Without an
        /// index only those in front of the last one that was found: nobody knows what followed.
        public var lost: [LostChunk] = []
        /// Further lost chunks of which nothing is known.
        public var unknownLostCount: UInt64 = 0
        /// Namespaces of which chunks were left out because another archive's are among them.
        public var mixedUp: [Namespace] = []
        /// Where another archive begins behind this one; nothing of it was taken.
        public var otherArchiveOffset: UInt64?
        /// Whether there is anything of an archive of Cairn's.
        public var isEmpty: Bool {
            whole.isEmpty && lost.isEmpty && index == nil && prelude == nil
        }
    }

    /// Whether a file begins like an archive of another tool. Its documents may hold archives of
    /// Cairn's, which are not what the file is.
    ///
    /// - Throws: what the source throws.
    public static func isForeign(_ source: any ByteSource) async throws -> Bool {
        let count = Int(min(source.byteCount, UInt64(ArchiveSniffer.headByteCount)))
        let head = try await source.read(at: 0, count: count)
        do throws(ArchiveError) {
            switch try ArchiveSniffer.format(ofHead: head) {
            case .cairn: return false
            case .mongodump: return true
            // With an extra field as long as ours it is one of ours, whose head is damaged.
            case .gzip: return !Frame.hasExtraFieldOfChunk(head)
            }
        } catch {
            return false
        }
    }

    /// Reads all of an archive. Memory: `width` × (a stored chunk + a raw chunk), and what is kept
    /// of each chunk.
    ///
    /// - Parameter progress: called after each chunk with its stored bytes and its documents.
    /// - Throws: what the source throws; nothing that is damaged makes it fail.
    public static func inspect(
        _ source: any ByteSource, width: Int,
        progress: (_ storedByteCount: Int, _ documents: DocumentTotals) -> Void = { _, _ in }
    ) async throws -> Findings {
        if let index = try await index(of: source) {
            var salvage = IndexedSalvage(index, in: source)
            return try await salvage.run(width: width, progress: progress)
        }
        let map = try await FrameMap(source, in: [0..<source.byteCount])
        var walk = FrameWalk(source, map)
        var sealed = try await indexInPlace(map.frames, in: source)
        if sealed == nil {
            try await walk.run()
            if let trailer = walk.frames.first(where: { $0.header.kind == .trailer }) {
                sealed = try await SealedIndex(trailer, in: source)
            }
        }
        let neighbours = sealed.map { NeighbouringArchives($0, walk.frames, map) }
        guard let sealed, let neighbours, !neighbours.precede else {
            let frames = neighbours?.ownFrames ?? walk.framesOutsideOfCutOnes
            return try await ownChunks(frames, in: source, width: width, progress)
        }
        var salvage = IndexedSalvage(sealed.index, in: source)
        var findings = try await salvage.run(width: width, progress: progress)
        findings.otherArchiveOffset = neighbours.offset
        return findings
    }

    /// What a writer that was killed had completed: from the first chunk on, up to the first that
    /// is not whole.
    public struct Beginning: Sendable {
        public var prelude: ArchivePrelude
        /// Chunks of documents, and ends of namespaces.
        public var chunks: [WholeChunk]
    }

    /// Reads the beginning of an archive that was never completed; nil when not even its prelude is
    /// whole. Memory: as `inspect`.
    ///
    /// - Throws: what the source throws.
    public static func beginning(
        of source: any ByteSource, width: Int
    ) async throws -> Beginning? {
        var position: UInt64 = 0
        var examined: [ExaminedFrame] = []
        try await withOrderedWindow(
            width: width,
            next: {
                guard let frame = try await frame(at: position, in: source),
                    frame.header.kind.holdsBlocks
                else { return nil }
                position = frame.end
                return frame
            },
            transform: { (frame: FrameMap.Frame) async throws -> ExaminedFrame in
                try await ExaminedFrame(frame, in: source)
            },
            deliver: { examined.append($0) })
        let whole = examined.enumerated()
            .prefix { $1.isWhole && $1.header.sequence == UInt32($0) }.map(\.element)
        guard let prelude = OwnChunks.prelude(whole) else { return nil }
        return Beginning(
            prelude: prelude,
            chunks: whole.filter { $0.header.kind != .prelude }.compactMap(WholeChunk.init))
    }

    private static func frame(
        at offset: UInt64, in source: any ByteSource
    ) async throws -> FrameMap.Frame? {
        guard offset < source.byteCount else { return nil }
        let count = Int(min(UInt64(Frame.headByteCountMax), source.byteCount - offset))
        let head = try await source.read(at: offset, count: count)
        do throws(ArchiveError) {
            return try Frame.header(at: head[...]).map {
                FrameMap.Frame(offset: offset, header: $0)
            }
        } catch {
            return nil
        }
    }

    private static func index(of source: any ByteSource) async throws -> ArchiveIndex? {
        do {
            return try await IndexedArchiveReader(source).index
        } catch is ArchiveError {
            return nil
        }
    }

    /// An index that is where its trailer says: that of the archive at the file's beginning, with
    /// something behind it.
    private static func indexInPlace(
        _ frames: [FrameMap.Frame], in source: any ByteSource
    ) async throws -> SealedIndex? {
        for frame in frames where frame.header.kind == .trailer {
            if let sealed = try await SealedIndex(frame, in: source), sealed.isInPlace {
                return sealed
            }
        }
        return nil
    }

    private static func ownChunks(
        _ frames: [FrameMap.Frame], in source: any ByteSource, width: Int,
        _ progress: (_ storedByteCount: Int, _ documents: DocumentTotals) -> Void
    ) async throws -> Findings {
        var rest = frames[...]
        var examined: [ExaminedFrame] = []
        try await withOrderedWindow(
            width: width, next: { rest.popFirst() },
            transform: { (frame: FrameMap.Frame) async throws -> ExaminedFrame in
                try await ExaminedFrame(frame, in: source)
            },
            deliver: { frame in
                examined.append(frame)
                progress(Int(frame.header.storedByteCount), frame.totals)
            })
        return OwnChunks(examined).findings
    }
}

extension ArchiveSalvager.WholeChunk {
    /// Nil for one that is not whole.
    init?(_ examined: ExaminedFrame) {
        guard let chunk = examined.chunk else { return nil }
        self.init(
            offset: examined.frame.offset, header: examined.header, blocks: chunk.blocks)
    }
}
