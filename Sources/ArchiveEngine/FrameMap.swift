internal import ArchiveFormat

/// Everything in a damaged file that looks like a frame: each chunk header that is whole by its own
/// checksum, wherever it is. An archive's documents may hold archives, so not all of them are
/// frames of the archive that the file is; `FrameWalk` finds out which are.
struct FrameMap: Sendable {
    /// A frame whose header is whole; its content may be damaged all the same, and its end may be
    /// beyond the file's.
    struct Frame: Sendable {
        var offset: UInt64
        var header: ChunkHeader

        var end: UInt64 { offset + header.storedByteCount }
    }

    /// The most frames that are remembered; those after them are not found.
    private static let countMax = 1 << 21
    /// How much is looked through at once.
    private static let windowByteCount = 1024 * 1024

    /// By their offsets, each of which occurs once.
    private(set) var frames: [Frame] = []
    private var positions: [UInt64: Int] = [:]

    /// Looks through parts of a file.
    ///
    /// - Parameter ranges: ascending, not overlapping.
    /// - Throws: what the source throws.
    init(_ source: any ByteSource, in ranges: [Range<UInt64>]) async throws {
        for range in ranges {
            var offset = range.lowerBound
            while offset < range.upperBound {
                let count = Int(min(UInt64(Self.windowByteCount), range.upperBound - offset))
                let window = try await source.read(at: offset, count: count)
                add(window, at: offset, notBefore: range.lowerBound)
                guard count > ChunkHeader.byteCount else { break }
                // A header that begins in this window may end in the next.
                let step = count == Self.windowByteCount ? count - ChunkHeader.byteCount + 1 : count
                offset += UInt64(step)
            }
        }
    }

    /// The frame that begins there.
    subscript(offset: UInt64) -> Frame? { positions[offset].map { frames[$0] } }

    /// Frames that begin in a range.
    func frames(in range: Range<UInt64>) -> ArraySlice<Frame> {
        let first = position(of: range.lowerBound)
        return frames[first..<max(first, position(of: range.upperBound))]
    }

    /// How many frames begin before an offset.
    private func position(of offset: UInt64) -> Int {
        var (low, high) = (0, frames.count)
        while low < high {
            let middle = (low + high) / 2
            if frames[middle].offset < offset { low = middle + 1 } else { high = middle }
        }
        return low
    }

    private mutating func add(_ window: [UInt8], at offset: UInt64, notBefore start: UInt64) {
        for place in Self.magicPlaces(in: window) {
            let bytes = window[place..<place + ChunkHeader.byteCount]
            guard frames.count < Self.countMax, let header = Self.header(in: bytes) else {
                continue
            }
            // What precedes it may be damaged: it follows from the header.
            let headByteCount = ArchiveFormat.Frame.headByteCount(header.codec)
            let prefixByteCount = UInt64(headByteCount - ChunkHeader.byteCount)
            let absolute = offset + UInt64(place)
            guard absolute >= start + prefixByteCount else { continue }
            let frame = Frame(offset: absolute - prefixByteCount, header: header)
            // By their magic they ascend; a prefix of another codec's length may change that.
            guard frames.last.map({ $0.offset < frame.offset }) ?? true else { continue }
            positions[frame.offset] = frames.count
            frames.append(frame)
        }
    }

    private static func magicPlaces(in window: [UInt8]) -> [Int] {
        var places: [Int] = []
        let magic = ChunkHeader.magic
        window.withUnsafeBytes { bytes in
            var place = 0
            while place + ChunkHeader.byteCount <= bytes.count {
                if bytes[place] == magic[0], bytes[place + 1] == magic[1],
                    bytes[place + 2] == magic[2], bytes[place + 3] == magic[3]
                {
                    places.append(place)
                }
                place += 1
            }
        }
        return places
    }

    private static func header(in bytes: ArraySlice<UInt8>) -> ChunkHeader? {
        do throws(ArchiveError) { return try ChunkHeader(decoding: bytes) } catch { return nil }
    }
}
