internal import ArchiveFormat

/// Finds the frames of an archive itself in its damaged file, without an index.
///
/// Documents may hold archives, even earlier backups of the same database, whose chunks lie in a
/// stored or lz4 frame as they are. So a chunk header that is whole proves nothing by itself; what
/// counts is where it is:
/// - The file begins with a frame, and each frame begins where the one before it ends. Where the
///   header is damaged, the codec's own frame says where it ends (`FrameExtent`). So nothing inside
///   a frame whose extent is known is ever looked at.
/// - Where both are damaged, or bytes were inserted or are missing, the next frame is one from
///   which frame follows frame up to the end of the file: those of an archive in a document end
///   inside of it. Nor may the archive begin anew among them.
/// - Frames between two such places are only taken if they are in order, leave room for the damaged
///   ones around them, and nothing there is a prelude, an index or a trailer, which would show that
///   an archive is inside.
///
/// In doubt a frame is left out: what is missing is told, what is foreign would not be.
struct FrameWalk {
    typealias Frame = FrameMap.Frame

    /// Where following frame after frame leads to.
    private struct Chain {
        /// The file's end; nil for a place where no frame begins.
        var reaches: Reach?
        /// Whether an archive begins in it.
        var hasPrelude: Bool

        enum Reach { case trailer, end, cut }
    }

    /// How many damaged frames are looked at by their codecs.
    private static let extentCountMax = 4096

    private let source: any ByteSource
    private let map: FrameMap
    /// Frames of the archive, in file order; trailers and index frames too, and those of archives
    /// that were written behind or between.
    private(set) var frames: [Frame] = []
    private var position: UInt64 = 0
    private var chains: [UInt64: Chain] = [:]
    private var extents: [UInt64: FrameExtent.End?] = [:]

    /// - Parameter map: of the whole file.
    init(_ source: any ByteSource, _ map: FrameMap) {
        self.source = source
        self.map = map
    }

    /// Walks to the end of the file.
    ///
    /// - Throws: what the source throws.
    mutating func run() async throws {
        while position < source.byteCount {
            if let frame = map[position] {
                frames.append(frame)
                if try await isExtentKnown(frame) {
                    position = frame.end
                } else {
                    // Of one that was cut, all that follows is part of it.
                    try await resume(
                        from: frame.offset + 1, mustBeSealed: frame.end > source.byteCount)
                }
                continue
            }
            switch try await extent(position) {
            case .at(let end)?: position = end
            case .beyondTheFile?: try await resume(from: position + 1, mustBeSealed: true)
            case nil: try await resume(from: position + 1, mustBeSealed: false)
            }
        }
    }

    /// Its frames without those inside of one that was cut, for when no index says whose they are:
    /// what is inside may be the rest of an archive that a document holds.
    var framesOutsideOfCutOnes: [Frame] {
        guard let cut = frames.firstIndex(where: { $0.end > source.byteCount }) else {
            return frames
        }
        return Array(frames[...cut])
    }

    /// Whether the end that a frame states is one: another frame begins there, or it is whole.
    private mutating func isExtentKnown(_ frame: Frame) async throws -> Bool {
        guard frame.end <= source.byteCount else { return false }
        if map[frame.end] != nil || frame.end == source.byteCount { return true }
        if try await ExaminedFrame(frame, in: source).isWhole { return true }
        guard case .at? = try await extent(frame.end) else { return false }
        return true
    }

    private mutating func extent(_ offset: UInt64) async throws -> FrameExtent.End? {
        if let known = extents[offset] { return known }
        guard extents.count < Self.extentCountMax else { return nil }
        let end = try await FrameExtent(source: source).end(of: offset)
        extents[offset] = .some(end)
        return end
    }

    // MARK: Behind a place where nothing is known

    /// Goes to the next frame that is certain.
    ///
    /// - Parameter mustBeSealed: whether only one from which frames lead to a trailer is.
    private mutating func resume(from start: UInt64, mustBeSealed: Bool) async throws {
        let hasPrelude = frames.contains { $0.header.kind == .prelude }
        var others: Set<UInt64> = []
        for frame in map.frames(in: start..<source.byteCount) {
            if others.contains(frame.offset) { continue }
            let chain = try await chain(from: frame)
            if frame.header.kind == .prelude, hasPrelude {
                // With all that follows it, it is another archive's.
                var next: Frame? = frame
                while let other = next, others.insert(other.offset).inserted {
                    next = map[other.end]
                }
                continue
            }
            guard isCertain(frame, chain, mustBeSealed: mustBeSealed) else { continue }
            if !mustBeSealed { try await takeFrames(in: start..<frame.offset, before: frame) }
            position = frame.offset
            return
        }
        if !mustBeSealed { try await takeFrames(in: start..<source.byteCount, before: nil) }
        position = source.byteCount
    }

    private func isCertain(_ frame: Frame, _ chain: Chain, mustBeSealed: Bool) -> Bool {
        // An archive that begins behind the beginning of this one is another.
        guard !chain.hasPrelude || !frames.contains(where: { $0.header.kind == .prelude }) else {
            return false
        }
        switch chain.reaches {
        case .trailer: return true
        case .end, .cut:
            let last = frames.last.map { Int64($0.header.sequence) } ?? -1
            return !mustBeSealed && Int64(frame.header.sequence) > last
        case nil: return false
        }
    }

    /// Where the frames lead to that follow one another from this one on.
    private mutating func chain(from first: Frame) async throws -> Chain {
        var path: [Frame] = []
        var offset = first.offset
        var end = Chain(reaches: nil, hasPrelude: false)
        while true {
            if offset >= source.byteCount {
                let isTrailer = path.last?.header.kind == .trailer
                end.reaches = offset > source.byteCount ? .cut : isTrailer ? .trailer : .end
                break
            }
            if let known = chains[offset] {
                end = known
                break
            }
            guard let frame = map[offset] else {
                let extent = try await extent(offset)
                if case .at(let behind)? = extent {
                    offset = behind
                    continue
                }
                if extent == .beyondTheFile { end.reaches = .cut }
                break
            }
            path.append(frame)
            offset = frame.end
            if frame.header.kind == .trailer, offset < source.byteCount { break }
        }
        for frame in path.reversed() {
            if frame.header.kind == .prelude { end.hasPrelude = true }
            chains[frame.offset] = end
        }
        return chains[first.offset] ?? end
    }

    /// Takes frames between two damaged ones, where they can be nothing else than this archive's.
    private mutating func takeFrames(in range: Range<UInt64>, before next: Frame?) async throws {
        let all = map.frames(in: range)
        let isBeginning = frames.isEmpty
        let isPlain = all.enumerated().allSatisfy { position, frame in
            frame.header.kind == .prelude
                ? isBeginning && position == 0
                : frame.header.kind.holdsBlocks
        }
        guard isPlain else { return }
        // The damaged ones before and behind them have numbers as well.
        var least = frames.last.map { Int64($0.header.sequence) + 2 } ?? 0
        let greatest = next.map { Int64($0.header.sequence) - 2 } ?? .max
        var place = max(range.lowerBound, frames.last?.end ?? 0)
        for frame in all where frame.offset >= place {
            guard Int64(frame.header.sequence) >= least, Int64(frame.header.sequence) <= greatest,
                try await ExaminedFrame(frame, in: source).isWhole
            else { continue }
            frames.append(frame)
            place = frame.end
            least = Int64(frame.header.sequence) + 1
        }
    }
}
