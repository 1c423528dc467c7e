public import ArchiveFormat

/// Finds the chunks of a damaged archive of Cairn's without its index: from header to header, and
/// where a header is damaged, by looking for the next one. Used by one task.
public final class ArchiveScanner {
    /// A chunk whose header is whole; its content may be damaged all the same.
    public struct Candidate: Sendable {
        public var offset: UInt64
        public var header: ChunkHeader
        /// Whether it stands where the one before it ends, and so is a chunk of this archive
        /// whatever is damaged in it.
        public var isInPlace: Bool
    }

    /// How much is looked through at once.
    private static let windowByteCount = 1024 * 1024

    private let source: any ByteSource
    private var position: UInt64 = 0
    private var previous: Candidate?
    /// Where bytes are that belong to no chunk whose header is whole.
    public private(set) var gaps: [Range<UInt64>] = []

    public init(_ source: any ByteSource) {
        self.source = source
    }

    /// The next chunk, or nil at the end.
    ///
    /// - Throws: what the source throws.
    public func next() async throws -> Candidate? {
        while position < source.byteCount {
            if let found = try await candidate(at: position) { return step(over: found) }
            if let previous, let found = try await successor(within: previous) {
                return step(over: found)
            }
            guard let found = try await search(from: position, to: source.byteCount) else {
                gaps.append(position..<source.byteCount)
                position = source.byteCount
                return nil
            }
            if found.offset > position { gaps.append(position..<found.offset) }
            return step(over: found)
        }
        return nil
    }

    private func step(over candidate: Candidate) -> Candidate {
        previous = candidate
        position = min(source.byteCount, candidate.offset + candidate.header.storedByteCount)
        return candidate
    }

    /// The chunk that should follow one, where bytes of that one are missing, so that it begins
    /// too early. Only the very next: documents may hold archives.
    private func successor(within candidate: Candidate) async throws -> Candidate? {
        let start = candidate.offset + UInt64(Frame.headByteCount(candidate.header.codec))
        // Its header may reach beyond the end that the other one claims.
        let end = min(source.byteCount, position + UInt64(Frame.headByteCountMax))
        guard let found = try await search(from: start, to: end), found.offset < position,
            found.header.sequence == candidate.header.sequence + 1
        else { return nil }
        return found
    }

    private func candidate(at offset: UInt64) async throws -> Candidate? {
        let count = Int(min(UInt64(Frame.headByteCountMax), source.byteCount - offset))
        let head = try await source.read(at: offset, count: count)
        do throws(ArchiveError) {
            return try Frame.header(at: head[...]).map {
                Candidate(offset: offset, header: $0, isInPlace: true)
            }
        } catch {
            return nil
        }
    }

    /// The first whole header from an offset on. What stands in front of it may be damaged: it
    /// follows from the header.
    private func search(from start: UInt64, to end: UInt64) async throws -> Candidate? {
        var offset = start
        while offset < end {
            let count = Int(min(UInt64(Self.windowByteCount), end - offset))
            let window = try await source.read(at: offset, count: count)
            if let found = Self.find(in: window, at: offset, notBefore: start) { return found }
            guard count > ChunkHeader.byteCount else { return nil }
            // A header that begins in this window may end in the next.
            offset += UInt64(count - ChunkHeader.byteCount)
        }
        return nil
    }

    private static func find(
        in window: [UInt8], at offset: UInt64, notBefore start: UInt64
    ) -> Candidate? {
        var place = 0
        while place + ChunkHeader.byteCount <= window.count {
            defer { place += 1 }
            guard window[place] == ChunkHeader.magic[0],
                window[place..<place + 4].elementsEqual(ChunkHeader.magic),
                let header = header(in: window[place..<place + ChunkHeader.byteCount])
            else { continue }
            let prefixByteCount = Frame.headByteCount(header.codec) - ChunkHeader.byteCount
            let absolute = offset + UInt64(place)
            guard absolute >= start + UInt64(prefixByteCount) else { continue }
            return Candidate(
                offset: absolute - UInt64(prefixByteCount), header: header, isInPlace: false)
        }
        return nil
    }

    private static func header(in bytes: ArraySlice<UInt8>) -> ChunkHeader? {
        do throws(ArchiveError) { return try ChunkHeader(decoding: bytes) } catch { return nil }
    }
}
