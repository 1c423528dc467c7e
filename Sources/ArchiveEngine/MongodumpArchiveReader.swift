public import ArchiveFormat

/// An archive of mongodump, plain or gzip, read front to back: no index, no chunk checksums, only a
/// checksum a namespace at its end.
public final class MongodumpArchiveReader: ArchiveReader {
    public let prelude: ArchivePrelude
    public let manifest: Manifest? = nil
    public let storedByteCount: UInt64?

    private let stream: BufferedStream
    private let inflater: InflateStream?
    private var parser = MongodumpParser()
    private var reportedOffset: UInt64 = 0

    /// Reads the prelude.
    ///
    /// - Parameter isCompressed: whether the stream is gzip.
    init(
        _ stream: BufferedStream, isCompressed: Bool, storedByteCount: UInt64?
    ) async throws {
        self.stream = stream
        self.storedByteCount = storedByteCount
        let inflater = isCompressed ? try InflateStream() : nil
        self.inflater = inflater
        while true {
            if case .prelude(let prelude)? = try parser.next() {
                self.prelude = prelude
                return
            }
            guard let bytes = try await Self.bytes(stream, inflater) else {
                throw ArchiveError(.truncated, "the archive is cut inside its prelude")
            }
            parser.feed(bytes)
        }
    }

    public func next() async throws -> PendingChunk? {
        do {
            while true {
                switch try parser.next() {
                case .documents(let namespace, let documents):
                    return chunk(MongodumpBlock.Header(namespace), documents)
                case .end(let namespace, let crc64):
                    return chunk(
                        MongodumpBlock.Header(namespace, isEnd: true, crc64: crc64), [])
                case .prelude:
                    preconditionFailure("a parser gives one prelude")
                case nil:
                    guard let bytes = try await Self.bytes(stream, inflater) else {
                        try parser.finish()
                        return nil
                    }
                    parser.feed(bytes)
                }
            }
        } catch let error as ArchiveError {
            throw error.located(offset: stream.offset)
        }
    }

    private func chunk(_ header: MongodumpBlock.Header, _ documents: [UInt8]) -> PendingChunk {
        defer { reportedOffset = stream.offset }
        return PendingChunk(
            header: header, documents: documents,
            storedByteCount: Int(stream.offset - reportedOffset))
    }

    /// The next bytes of the plain archive, or nil at its end.
    private static func bytes(
        _ stream: BufferedStream, _ inflater: InflateStream?
    ) async throws -> [UInt8]? {
        guard let inflater else {
            let bytes = try await stream.takeSome()
            return bytes.isEmpty ? nil : bytes
        }
        while true {
            if let bytes = try inflater.next() { return bytes }
            let stored = try await stream.takeSome()
            guard !stored.isEmpty else {
                try inflater.finish()
                return nil
            }
            inflater.feed(stored)
        }
    }
}
