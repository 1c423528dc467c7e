internal import ArchiveFormat

/// Sorts out, without an index, which of the frames that stand in a file as those of an archive do
/// are really its own: chunks may have been copied, exchanged, moved or removed, and another
/// archive's may have been put between them or behind.
///
/// Each chunk counts its place (`sequence`), so each place has one. Copies count once. Where
/// different chunks claim a place, those are right with which a namespace's documents have the
/// CRC-64 that its end block states; else the one between the right neighbours. Where neither
/// decides, none is taken.
struct OwnChunks {
    /// How many preludes, and how many pieces of one more or less, are tried.
    private static let preludeCountMax = 16

    private var frames: [ExaminedFrame]
    private(set) var prelude: ArchivePrelude?
    private var chunks: [ArchiveSalvager.WholeChunk] = []
    private var mixedUp: [Namespace] = []

    /// - Parameter frames: in file order.
    init(_ frames: [ExaminedFrame]) {
        self.frames = Self.withoutCopies(Self.withoutOtherArchives(frames))
        dropBeyondIndex()
        choosePrelude()
        dropStrangers()
        var claims = ChunkClaims(self.frames)
        claims.resolve()
        chunks = SequentialChunks(claims.chunks).chunks
        mixedUp = claims.mixedUp
    }

    var findings: ArchiveSalvager.Findings {
        var findings = ArchiveSalvager.Findings()
        findings.prelude = prelude
        findings.whole = chunks
        findings.mixedUp = mixedUp
        let taken = Set(chunks.map(\.header.sequence))
        // A chunk of documents that was left out is lost; ends and prelude are found or made anew.
        let rest = frames.filter {
            $0.header.kind.holdsBlocks && !taken.contains($0.header.sequence)
        }
        let whole = Set(
            rest.filter { $0.isWhole && !$0.header.kind.holdsDocuments }.map(\.header.sequence))
        var damaged: [UInt32: ChunkHeader] = [:]
        for frame in rest where !whole.contains(frame.header.sequence) {
            damaged[frame.header.sequence] = frame.header
        }
        findings.lost = damaged.sorted { $0.key < $1.key }.map {
            ArchiveSalvager.LostChunk(sequence: $0.key, header: $0.value, row: nil)
        }
        let known = taken.union(whole).union(damaged.keys)
        let last = known.max().map { UInt64($0) + 1 } ?? 0
        findings.unknownLostCount = last - UInt64(known.count)
        return findings
    }

    /// The prelude that chunks begin with; nil unless all pieces are there.
    static func prelude(_ frames: [ExaminedFrame]) -> ArchivePrelude? {
        var parser = MongodumpParser()
        for (position, frame) in frames.prefix(while: { $0.header.kind == .prelude }).enumerated() {
            guard let chunk = frame.chunk, frame.header.sequence == UInt32(position) else {
                return nil
            }
            parser.feed(chunk.bytes)
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

    // MARK: What is another archive's

    /// Leaves out runs of frames that begin with a prelude behind the archive's end, or that claim
    /// places which are taken.
    private static func withoutOtherArchives(_ frames: [ExaminedFrame]) -> [ExaminedFrame] {
        var own: [ExaminedFrame] = []
        var headers: [UInt32: ChunkHeader] = [:]
        var (hasPrelude, hasEnded) = (false, false)
        var place = 0
        while place < frames.count {
            var run = [frames[place]]
            while frames[place].header.kind == .prelude, place + run.count < frames.count,
                frames[place + run.count].header.sequence
                    == run[run.count - 1].header.sequence &+ 1
            {
                run.append(frames[place + run.count])
            }
            place += run.count
            let isPrelude = run[0].header.kind == .prelude
            let isConflicting = run.dropFirst().contains { frame in
                headers[frame.header.sequence].map { $0 != frame.header } ?? false
            }
            if isPrelude, hasPrelude && hasEnded || isConflicting { continue }
            hasPrelude = hasPrelude || isPrelude
            hasEnded = hasEnded || run.contains { $0.header.kind == .trailer }
            for frame in run where headers[frame.header.sequence] == nil {
                headers[frame.header.sequence] = frame.header
            }
            own += run
        }
        return own
    }

    /// Leaves out all but the first of equal frames, and damaged ones of which there is a whole
    /// one.
    private static func withoutCopies(_ frames: [ExaminedFrame]) -> [ExaminedFrame] {
        let whole = Set(frames.filter(\.isWhole).map(\.header))
        var seen: Set<ChunkHeader> = []
        return frames.filter { frame in
            (frame.isWhole || !whole.contains(frame.header)) && seen.insert(frame.header).inserted
        }
    }

    /// The index counts on from the last chunk.
    private mutating func dropBeyondIndex() {
        var count = UInt64(ArchiveLimits.chunkCountMax)
        let hidden = Set(
            frames.filter { !$0.header.kind.holdsBlocks }.map(\.header.sequence))
        let begins = hidden.filter { $0 == 0 || !hidden.contains($0 - 1) }
        if let first = begins.max() { count = UInt64(first) }
        frames.removeAll { $0.header.kind.holdsBlocks && UInt64($0.header.sequence) >= count }
    }

    /// Of several preludes, the one that most chunks fit.
    private mutating func choosePrelude() {
        let pieces = frames.filter { $0.header.kind == .prelude }
        // One that most chunks do not fit is another archive's.
        let chunkCount = frames.count { $0.chunk != nil && $0.header.kind != .prelude }
        var best = (chunkCount + 1) / 2 - 1
        for first in pieces.filter({ $0.header.sequence == 0 }).prefix(Self.preludeCountMax) {
            var run = [first]
            for piece in pieces
            where piece.frame.offset > first.frame.offset
                && piece.header.sequence == UInt32(run.count)
            {
                run.append(piece)
            }
            // Pieces of another prelude may follow: as many as make one.
            let counts = stride(
                from: run.count, to: max(0, run.count - Self.preludeCountMax), by: -1)
            for count in counts {
                guard let candidate = Self.prelude(Array(run.prefix(count))) else { continue }
                let names = PreludeNames(candidate)
                let fitting = frames.count { names.fit($0) }
                if fitting > best { (prelude, best) = (candidate, fitting) }
                break
            }
        }
    }

    /// Leaves out chunks of namespaces that the prelude does not have there.
    private mutating func dropStrangers() {
        guard let prelude else { return }
        let names = PreludeNames(prelude)
        frames.removeAll { frame in
            frame.chunk != nil && frame.header.kind != .prelude && !names.fit(frame)
        }
    }
}

/// The namespaces of a prelude, by their places and by their names.
private struct PreludeNames {
    private let ordered: [Namespace]
    private let all: Set<Namespace>

    init(_ prelude: ArchivePrelude) {
        ordered = prelude.namespaces.map(\.dataNamespace)
        all = Set(ordered)
    }

    /// Whether a whole chunk is of namespaces that it says it is of.
    func fit(_ frame: ExaminedFrame) -> Bool {
        guard let chunk = frame.chunk, frame.header.kind != .prelude else { return false }
        let ordinal = frame.header.namespaceOrdinal
        if ordinal == ChunkHeader.noNamespace {
            return chunk.blocks.allSatisfy { all.contains($0.header.namespace) }
        }
        guard Int(ordinal) < ordered.count else { return false }
        return chunk.blocks.allSatisfy { $0.header.namespace == ordered[Int(ordinal)] }
    }
}

/// Chunks in the order of their places, with each namespace's one after another: what breaks that
/// is another archive's.
private struct SequentialChunks {
    private(set) var chunks: [ArchiveSalvager.WholeChunk]

    /// - Parameter found: in the order of their places.
    init(_ found: [ArchiveSalvager.WholeChunk]) {
        var groups: [[ArchiveSalvager.WholeChunk]] = []
        for chunk in found {
            if chunk.header.kind != .mixed, let last = groups.last?.first,
                last.header.kind == chunk.header.kind, last.names == chunk.names
            {
                groups[groups.count - 1].append(chunk)
            } else {
                groups.append([chunk])
            }
        }
        // Of two groups of one namespace the larger one stays.
        var claimed: Set<Namespace> = []
        var kept = Set<Int>()
        for place in groups.indices.sorted(by: { Self.isLarger(groups[$0], groups[$1], $0, $1) }) {
            let names = groups[place][0].names
            guard claimed.isDisjoint(with: names) else { continue }
            claimed.formUnion(names)
            kept.insert(place)
        }
        let firstOther = groups.indices.first { place in
            kept.contains(place) && groups[place][0].header.kind != .special
        }
        chunks = groups.indices.filter { place in
            // Users and roles come before all others.
            kept.contains(place)
                && (groups[place][0].header.kind != .special || place < firstOther ?? .max)
        }
        .flatMap { groups[$0] }
    }

    private static func isLarger(
        _ first: [ArchiveSalvager.WholeChunk], _ second: [ArchiveSalvager.WholeChunk],
        _ firstPlace: Int, _ secondPlace: Int
    ) -> Bool {
        first.count != second.count ? first.count > second.count : firstPlace < secondPlace
    }
}

extension ArchiveSalvager.WholeChunk {
    /// Namespaces of its blocks.
    fileprivate var names: Set<Namespace> { Set(blocks.map(\.header.namespace)) }
}
