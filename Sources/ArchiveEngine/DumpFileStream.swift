internal import ArchiveFormat
internal import BSONBytes

/// A file of a dump, plain or gzip, read front to back.
final class DumpFileStream {
    private let stream: BufferedStream
    private let inflater: InflateStream?
    /// Bytes of the plain content that were given.
    private(set) var plainByteCount: UInt64 = 0

    /// Bytes of the file that were read.
    var storedByteCount: UInt64 { stream.offset }
    /// Whether places in the content are places in the file.
    var isPlain: Bool { inflater == nil }

    /// - Parameter name: of the file, which decides the one case that its bytes leave open.
    /// - Throws: `truncated` for an empty file that should be gzip.
    init(_ source: any ByteSource, name: String) async throws {
        stream = BufferedStream(SourceStream(source))
        let head = Array(try await stream.peek(Self.headByteCount))
        guard !head.isEmpty || !Self.isNamedGzip(name) else {
            throw ArchiveError(.truncated, "the file is empty, as no gzip file is", offset: 0)
        }
        inflater = Self.isGzip(head, name) ? try InflateStream() : nil
    }

    /// The next bytes of the plain content, at most a MiB; none at the end.
    ///
    /// - Throws: `truncated`, `codecFailed`.
    func next() async throws -> [UInt8] {
        let bytes = try await inflated()
        plainByteCount += UInt64(bytes.count)
        return bytes
    }

    private func inflated() async throws -> [UInt8] {
        guard let inflater else { return try await stream.takeSome() }
        while true {
            if let bytes = try inflater.next() { return bytes }
            let stored = try await stream.takeSome()
            guard !stored.isEmpty else {
                try inflater.finish()
                return []
            }
            inflater.feed(stored)
        }
    }

    /// All of a small file.
    ///
    /// - Throws: `lengthOutOfBounds` beyond `limit`.
    func all(limit: Int) async throws -> [UInt8] {
        var content: [UInt8] = []
        while true {
            let bytes = try await next()
            guard !bytes.isEmpty else { return content }
            content += bytes
            guard content.count <= limit else {
                throw ArchiveError(.lengthOutOfBounds, "the file holds more than \(limit) bytes")
            }
        }
    }

    // MARK: Which of both it is

    private static let headByteCount = 5

    /// A document of 559,903 bytes begins like a gzip file. Behind that, a gzip file has a time,
    /// zero almost always, and a document the type of its first field, never zero.
    private static func isGzip(_ head: [UInt8], _ name: String) -> Bool {
        guard head.starts(with: [0x1F, 0x8B, 0x08]) else { return false }
        let isPossibleDocument =
            head.count == headByteCount && head[3] == 0 && BSONType(rawValue: head[4]) != nil
        return !isPossibleDocument || isNamedGzip(name)
    }

    private static func isNamedGzip(_ name: String) -> Bool { name.lowercased().hasSuffix(".gz") }
}

/// Takes a file of documents apart as its bytes arrive, into runs of whole documents.
struct DocumentRunReader {
    private let stream: DumpFileStream
    private var buffer: [UInt8] = []
    /// Place in the plain content of the buffer's first byte.
    private(set) var offset: UInt64 = 0

    init(_ stream: DumpFileStream) {
        self.stream = stream
    }

    /// The next run of whole documents; none at the end. Those in front of a defect come first.
    ///
    /// - Throws: `malformed`, `truncated`, with the place in the file.
    mutating func next() async throws -> [UInt8] {
        do {
            while true {
                let count = try wholeByteCount()
                if count > 0 {
                    let run = Array(buffer[..<count])
                    buffer.removeSubrange(..<count)
                    offset += UInt64(count)
                    return run
                }
                let bytes = try await stream.next()
                guard !bytes.isEmpty else {
                    guard buffer.isEmpty else {
                        throw ArchiveError(.truncated, "the file ends inside a document")
                    }
                    return []
                }
                buffer += bytes
            }
        } catch let error as ArchiveError {
            throw error.located(offset: stream.isPlain ? offset : stream.storedByteCount)
        }
    }

    /// Bytes of the whole documents at the buffer's beginning.
    private func wholeByteCount() throws(ArchiveError) -> Int {
        try buffer.reading { bytes throws(ArchiveError) in
            var count = 0
            while bytes.count - count >= 4 {
                let length = Int(
                    Int32(
                        littleEndian: bytes.loadUnaligned(fromByteOffset: count, as: Int32.self)))
                guard length >= BSONLimits.documentByteCountMin,
                    length <= BSONLimits.documentByteCountMax
                else {
                    guard count == 0 else { return count }
                    throw ArchiveError(
                        .malformed, "\(length) is not a document's length",
                        offset: stream.isPlain ? offset : nil)
                }
                guard length <= bytes.count - count else { break }
                guard bytes[count + length - 1] == 0 else {
                    guard count == 0 else { return count }
                    throw ArchiveError(
                        .malformed, "a document does not end in a zero byte",
                        offset: stream.isPlain ? offset : nil)
                }
                count += length
            }
            return count
        }
    }
}

extension [UInt8] {
    /// `withUnsafeBytes` for what throws an `ArchiveError`, which keeps its type.
    fileprivate func reading<Value>(
        _ body: (UnsafeRawBufferPointer) throws(ArchiveError) -> Value
    ) throws(ArchiveError) -> Value {
        let outcome: Result<Value, ArchiveError> = withUnsafeBytes { bytes in
            do throws(ArchiveError) { return .success(try body(bytes)) } catch {
                return .failure(error)
            }
        }
        return try outcome.get()
    }
}
