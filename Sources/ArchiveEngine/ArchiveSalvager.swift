public import ArchiveFormat

/// Finds out what of a damaged archive of Cairn's is still whole.
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

    /// What was found, in file order.
    public struct Findings: Sendable {
        /// From the prelude's own chunks; nil unless all of them are whole.
        public var prelude: ArchivePrelude?
        /// Nil when the index is damaged or gone.
        public var index: ArchiveIndex?
        /// Chunks of documents.
        public var whole: [WholeChunk] = []
        /// Chunks of all kinds that hold blocks. Without an index only those in front of the last
        /// one that was found: nobody knows what followed.
        public var lost: [LostChunk] = []
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
        var findings = Findings()
        findings.index = try await index(of: source)
        var survey = Survey()
        let scanner = ArchiveScanner(source)
        try await withOrderedWindow(
            width: width,
            next: {
                while let candidate = try await scanner.next() {
                    if candidate.header.kind.holdsBlocks { return candidate }
                }
                return nil
            },
            transform: { (candidate: ArchiveScanner.Candidate) async throws -> Examined in
                try await Examined(candidate, in: source)
            },
            deliver: { examined in
                survey.take(examined)
                progress(Int(examined.candidate.header.storedByteCount), examined.totals)
            })
        findings.whole = survey.whole.filter { ![.prelude, .end].contains($0.header.kind) }
        findings.prelude = prelude(survey)
        findings.lost = lost(survey, findings.index)
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
        var survey = Survey()
        let scanner = ArchiveScanner(source)
        try await withOrderedWindow(
            width: width,
            next: {
                guard let candidate = try await scanner.next(), candidate.isInPlace,
                    candidate.header.kind.holdsBlocks
                else { return nil }
                return candidate
            },
            transform: { (candidate: ArchiveScanner.Candidate) async throws -> Examined in
                try await Examined(candidate, in: source)
            },
            deliver: { survey.take($0) })
        guard let prelude = prelude(survey) else { return nil }
        let chunks = survey.whole.enumerated().prefix { $1.header.sequence == UInt32($0) }
            .map(\.element)
        return Beginning(
            prelude: prelude, chunks: chunks.filter { $0.header.kind != .prelude })
    }

    private static func index(of source: any ByteSource) async throws -> ArchiveIndex? {
        do {
            return try await IndexedArchiveReader(source).index
        } catch is ArchiveError {
            return nil
        }
    }

    private static func prelude(_ survey: Survey) -> ArchivePrelude? {
        var parser = MongodumpParser()
        for (position, piece) in survey.prelude.enumerated() {
            guard piece.sequence == UInt32(position) else { return nil }
            parser.feed(piece.bytes)
        }
        do throws(ArchiveError) {
            guard case .prelude(let prelude)? = try parser.next(), parser.isAtBlock else {
                return nil
            }
            return prelude
        } catch {
            return nil
        }
    }

    private static func lost(_ survey: Survey, _ index: ArchiveIndex?) -> [LostChunk] {
        let whole = Set(survey.whole.map(\.header.sequence))
        let count = index?.rows.count ?? survey.lastSequence.map { Int($0) + 1 } ?? 0
        return (0..<count).compactMap { position in
            let sequence = UInt32(position)
            guard !whole.contains(sequence) else { return nil }
            return LostChunk(
                sequence: sequence, header: survey.damaged[sequence], row: index?.rows[position])
        }
    }

    /// What has been seen so far.
    private struct Survey {
        var whole: [WholeChunk] = []
        var damaged: [UInt32: ChunkHeader] = [:]
        var prelude: [(sequence: UInt32, bytes: [UInt8])] = []
        var lastSequence: UInt32?

        mutating func take(_ examined: Examined) {
            let header = examined.candidate.header
            // What else looks like a chunk is part of an archive that a document holds.
            guard lastSequence.map({ header.sequence > $0 }) ?? true,
                examined.chunk != nil || examined.candidate.isInPlace
            else { return }
            lastSequence = header.sequence
            guard let chunk = examined.chunk else {
                damaged[header.sequence] = header
                return
            }
            if header.kind == .prelude { prelude.append((header.sequence, chunk.bytes)) }
            whole.append(
                WholeChunk(
                    offset: examined.candidate.offset, header: header, blocks: chunk.blocks))
        }
    }

    /// A chunk that was looked at; its bytes only where they are the prelude's.
    private struct Examined: Sendable {
        let candidate: ArchiveScanner.Candidate
        let chunk: DecodedChunk?

        init(_ candidate: ArchiveScanner.Candidate, in source: any ByteSource) async throws {
            self.candidate = candidate
            let header = candidate.header
            guard candidate.offset + header.storedByteCount <= source.byteCount else {
                chunk = nil
                return
            }
            let stored = try await source.read(
                at: candidate.offset, count: Int(header.storedByteCount))
            do throws(ArchiveError) {
                var decoded = try DecodedChunk(stored: stored, header: header)
                if header.kind != .prelude { decoded.bytes = [] }
                chunk = decoded
            } catch {
                chunk = nil
            }
        }

        var totals: DocumentTotals {
            chunk?.blocks.reduce(into: DocumentTotals()) { $0.append($1.totals) }
                ?? DocumentTotals()
        }
    }
}
