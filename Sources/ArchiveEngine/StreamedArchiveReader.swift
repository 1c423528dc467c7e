public import ArchiveFormat

/// A Cairn archive read front to back, as from a pipe: chunk headers lead the way, and the index at
/// the end is compared with what went by.
public final class StreamedArchiveReader: ArchiveReader {
    public let prelude: ArchivePrelude
    public private(set) var manifest: Manifest?
    public let storedByteCount: UInt64? = nil

    private let stream: BufferedStream
    /// What went by, to be compared with the index: 40 bytes a chunk.
    private var digests: [SHA256Digest] = []
    private var headers: [ChunkHeader] = []

    /// Reads the prelude.
    ///
    /// - Throws: `ArchiveError`, or what the stream throws.
    init(_ stream: BufferedStream) async throws {
        self.stream = stream
        var parser = MongodumpParser()
        while true {
            guard let (header, stored) = try await Self.frame(stream), header.kind == .prelude
            else { throw ArchiveError(.malformed, "the archive does not start with a prelude") }
            headers.append(header)
            digests.append(SHA256Digest(of: stored))
            parser.feed(try DecodedChunk(stored: stored, header: header).bytes)
            if case .prelude(let prelude)? = try parser.next() {
                guard parser.isAtBlock else {
                    throw ArchiveError(.malformed, "something follows the end of the prelude")
                }
                self.prelude = prelude
                return
            }
        }
    }

    public func next() async throws -> PendingChunk? {
        let offset = stream.offset
        guard let (header, stored) = try await Self.frame(stream) else {
            throw ArchiveError(
                .truncated, "the archive ends without an index", offset: stream.offset)
        }
        guard header.sequence == UInt32(headers.count) else {
            throw ArchiveError(
                .malformed, "chunk \(headers.count) is missing", chunk: header.sequence,
                offset: offset)
        }
        guard header.kind.holdsBlocks else {
            do {
                try await readIndex(first: (header, stored), at: offset)
            } catch let error as ArchiveError {
                throw error.located(offset: offset)
            }
            return nil
        }
        headers.append(header)
        digests.append(SHA256Digest(of: stored))
        return PendingChunk(stored: stored, header: header, row: nil)
    }

    /// The next frame, or nil at the end of the stream.
    private static func frame(
        _ stream: BufferedStream
    ) async throws -> (header: ChunkHeader, stored: [UInt8])? {
        let offset = stream.offset
        let head = try await stream.peek(Frame.headByteCountMax)
        guard !head.isEmpty else { return nil }
        do throws(ArchiveError) {
            guard let header = try Frame.header(at: head) else {
                throw ArchiveError(.malformed, "no chunk where one must start")
            }
            let stored: [UInt8]
            do {
                stored = try await stream.take(Int(header.storedByteCount))
            } catch {
                throw ArchiveError(.truncated, "reading failed: \(error)")
            }
            guard stored.count == Int(header.storedByteCount) else {
                throw ArchiveError(.truncated, "the archive is cut inside a chunk")
            }
            return (header, stored)
        } catch {
            throw error.located(offset: offset)
        }
    }

    private func readIndex(
        first: (header: ChunkHeader, stored: [UInt8]), at indexOffset: UInt64
    ) async throws {
        var content: [UInt8] = []
        var indexByteCount: UInt64 = 0
        var (header, stored) = first
        while header.kind == .index {
            content += try Frame.hiddenBytes(of: stored, header: header)
            indexByteCount += UInt64(stored.count)
            guard indexByteCount <= UInt64(ArchiveLimits.indexByteCountMax),
                let following = try await Self.frame(stream)
            else { throw ArchiveError(.truncated, "the archive ends inside its index") }
            (header, stored) = following
        }
        guard header.kind == .trailer else {
            throw ArchiveError(.malformed, "a chunk follows the index", chunk: header.sequence)
        }
        let trailer = try ArchiveTrailer(
            decoding: try Frame.hiddenBytes(of: stored, header: header))
        guard try await stream.peek(1).isEmpty, trailer.indexOffset == indexOffset,
            trailer.indexStoredByteCount == indexByteCount
        else { throw ArchiveError(.malformed, "the trailer is not the end of the archive") }
        let index = try ArchiveIndex(content: content, trailer: trailer)
        try compare(index)
        manifest = index.manifest
    }

    private func compare(_ index: ArchiveIndex) throws(ArchiveError) {
        let isSame =
            index.rows.count == headers.count
            && index.rows.map(\.sha256) == digests
            && zip(index.rows, headers).allSatisfy { $0.matches($1) }
        guard isSame else {
            throw ArchiveError(.checksumMismatch, "the index does not match the chunks before it")
        }
    }
}
