internal import ArchiveFormat

/// A frame that was read and checked, as far as that can be done on it alone.
struct ExaminedFrame: Sendable {
    let frame: FrameMap.Frame
    /// What it holds, where it is a chunk that is whole; its bytes only where they are the
    /// prelude's.
    let chunk: DecodedChunk?
    /// What it hides, where it is a whole one of index or trailer.
    let hidden: [UInt8]?

    var header: ChunkHeader { frame.header }
    var isWhole: Bool { chunk != nil || hidden != nil }

    /// Reads it.
    ///
    /// - Throws: what the source throws; nothing that is damaged makes it fail.
    init(_ frame: FrameMap.Frame, in source: any ByteSource) async throws {
        self.frame = frame
        guard frame.end <= source.byteCount else {
            (chunk, hidden) = (nil, nil)
            return
        }
        let stored = try await source.read(
            at: frame.offset, count: Int(frame.header.storedByteCount))
        do throws(ArchiveError) {
            if frame.header.kind.holdsBlocks {
                var decoded = try DecodedChunk(stored: stored, header: frame.header)
                if frame.header.kind != .prelude { decoded.bytes = [] }
                (chunk, hidden) = (decoded, nil)
            } else {
                hidden = Array(try Frame.hiddenBytes(of: stored, header: frame.header))
                chunk = nil
            }
        } catch {
            (chunk, hidden) = (nil, nil)
        }
    }

    var totals: DocumentTotals {
        chunk?.blocks.reduce(into: DocumentTotals()) { $0.append($1.totals) } ?? DocumentTotals()
    }
}

/// An index whose hash holds, found by its trailer, wherever in the file both are.
struct SealedIndex: Sendable {
    let index: ArchiveIndex
    /// The first byte behind the trailer.
    let end: UInt64
    /// Whether it is where the trailer says, counted from the beginning of the file. Of an archive
    /// that a document holds it never is.
    let isInPlace: Bool

    /// Nil when trailer or index is damaged, or something is missing between them.
    ///
    /// - Throws: what the source throws.
    init?(_ frame: FrameMap.Frame, in source: any ByteSource) async throws {
        guard frame.header.kind == .trailer,
            let hidden = try await ExaminedFrame(frame, in: source).hidden
        else { return nil }
        do {
            let trailer = try ArchiveTrailer(decoding: hidden[...])
            guard trailer.indexStoredByteCount <= frame.offset else { return nil }
            let start = frame.offset - trailer.indexStoredByteCount
            let stored = try await source.read(
                at: start, count: Int(trailer.indexStoredByteCount))
            index = try ArchiveIndex(stored: stored, trailer: trailer, header: frame.header)
            isInPlace = start == trailer.indexOffset
            end = frame.end
        } catch is ArchiveError {
            return nil
        }
    }
}
