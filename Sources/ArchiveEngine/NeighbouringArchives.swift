internal import ArchiveFormat

/// Other archives that a file holds beside the one that an index, which is not where its trailer
/// says, is of.
struct NeighbouringArchives {
    /// Whether the file is rather theirs: it begins with another archive's documents.
    let precede: Bool
    /// Where one begins.
    let offset: UInt64?
    /// Of the frames, those that are not the index's archive's; where the file is another's.
    let ownFrames: [FrameMap.Frame]

    /// - Parameters:
    ///   - frames: those that the walk has found, in file order.
    ///   - map: all of the file.
    init(_ sealed: SealedIndex, _ frames: [FrameMap.Frame], _ map: FrameMap) {
        let rows = sealed.index.rows
        func isKnown(_ frame: FrameMap.Frame) -> Bool {
            let sequence = Int(frame.header.sequence)
            return sequence < rows.count && rows[sequence].matches(frame.header)
        }
        let before = frames.prefix { $0.offset < sealed.end }
        let isForeign = before.map { $0.header.kind.holdsDocuments && !isKnown($0) }
        let preludes = before.indices.filter { before[$0].header.kind == .prelude }
        let firstPrelude = preludes.first { isKnown(before[$0]) } ?? before.count
        let beginsBehindAnother =
            preludes.contains { $0 < firstPrelude && !isKnown(before[$0]) }
            && isForeign[..<firstPrelude].contains(true)
        let others = Self.chain(before, isKnown)
        // The index's archive begins inside of a chunk that goes on behind it.
        let isInside =
            others.lowerBound > before.startIndex && others.lowerBound < before.endIndex
            && before[others.lowerBound - 1].end > before[others.lowerBound].offset
            && isForeign[..<others.lowerBound].contains(true)
        precede =
            beginsBehindAnother || isInside
            || Self.isWithin(before, isForeign, rows, isKnown)
        let behind = map.frames(in: sealed.end..<UInt64.max)
        if let next = behind.first(where: { $0.header.kind == .prelude }) {
            offset = next.offset
        } else if let first = preludes.first, let last = preludes.last,
            isForeign[first..<last].contains(true)
        {
            offset = before[first].offset
        } else {
            offset = nil
        }
        ownFrames = Array(before[..<others.lowerBound] + frames[others.upperBound...])
    }

    /// Whether the index is of an archive within a document of the file's own, which was cut behind
    /// it. Two backups of one database may begin with the same prelude, so that it tells nothing:
    /// other documents come first, and what of the index's archive follows is not its beginning, or
    /// begins anew.
    private static func isWithin(
        _ frames: ArraySlice<FrameMap.Frame>, _ isForeign: [Bool], _ rows: [IndexRow],
        _ isKnown: (FrameMap.Frame) -> Bool
    ) -> Bool {
        let firstKnown =
            frames.indices.first { frames[$0].header.kind.holdsDocuments && isKnown(frames[$0]) }
            ?? frames.endIndex
        guard let firstForeign = isForeign[..<firstKnown].firstIndex(of: true) else {
            return false
        }
        guard firstKnown < frames.endIndex else { return true }
        let beginning = rows.firstIndex { $0.kind.holdsDocuments }
        return beginning != Int(frames[firstKnown].header.sequence)
            || frames[firstForeign..<firstKnown].contains { $0.header.kind == .prelude }
    }

    /// The frames that lead to the index without a gap, from its archive's prelude on or from where
    /// something of it is missing.
    private static func chain(
        _ frames: ArraySlice<FrameMap.Frame>, _ isKnown: (FrameMap.Frame) -> Bool
    ) -> Range<Int> {
        var start = frames.endIndex
        while start > frames.startIndex {
            let frame = frames[start - 1]
            let isNext = start == frames.endIndex || frame.end == frames[start].offset
            guard isNext, !frame.header.kind.holdsBlocks || isKnown(frame) else { break }
            start -= 1
            if frame.header.kind == .prelude { break }
        }
        return start..<frames.endIndex
    }
}
