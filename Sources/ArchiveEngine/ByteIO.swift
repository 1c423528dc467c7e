/// Where an archive is written to: a file, a pipe, a test's array.
public protocol ByteSink {
    /// Appends bytes. Called from one task, each call after the last has returned; never retried.
    /// Once it has thrown, the sink is not written to again.
    func write(_ bytes: [UInt8]) async throws
}

/// Where an archive is read from at any place.
public protocol ByteSource: Sendable {
    /// Size of the whole, in bytes; does not change.
    var byteCount: UInt64 { get }

    /// Exactly `count` bytes from `offset` on. May be called from several tasks at once.
    ///
    /// - Throws: when they are not all there.
    func read(at offset: UInt64, count: Int) async throws -> [UInt8]
}

/// Where an archive is read from front to back only.
public protocol ByteStream {
    /// The next bytes, at least one and at most `count`; none at the end. Called from one task.
    func read(upTo count: Int) async throws -> [UInt8]
}

/// A source read from front to back.
public final class SourceStream: ByteStream {
    private let source: any ByteSource
    private var offset: UInt64 = 0

    public init(_ source: any ByteSource) {
        self.source = source
    }

    public func read(upTo count: Int) async throws -> [UInt8] {
        let available = Int(clamping: source.byteCount - offset)
        let bytes = try await source.read(at: offset, count: min(count, available))
        offset += UInt64(bytes.count)
        return bytes
    }
}

/// Collects a stream's bytes until there are as many as wanted.
final class BufferedStream {
    private static let readByteCount = 256 * 1024

    private let stream: any ByteStream
    private var buffer: [UInt8] = []
    /// Bytes taken so far: the offset in the file of the next byte.
    private(set) var offset: UInt64 = 0

    init(_ stream: any ByteStream) {
        self.stream = stream
    }

    /// Up to `count` bytes without taking them; fewer only at the end.
    func peek(_ count: Int) async throws -> ArraySlice<UInt8> {
        while buffer.count < count {
            let wanted = max(Self.readByteCount, count - buffer.count)
            let more = try await stream.read(upTo: wanted)
            guard !more.isEmpty else { break }
            buffer += more
        }
        return buffer.prefix(count)
    }

    /// Takes up to `count` bytes; fewer only at the end.
    func take(_ count: Int) async throws -> [UInt8] {
        let bytes = Array(try await peek(count))
        buffer.removeFirst(bytes.count)
        offset += UInt64(bytes.count)
        return bytes
    }

    /// Takes whatever is at hand, or the next piece of the stream; none at the end.
    func takeSome() async throws -> [UInt8] {
        let bytes = buffer.isEmpty ? try await stream.read(upTo: Self.readByteCount) : buffer
        buffer = []
        offset += UInt64(bytes.count)
        return bytes
    }
}
