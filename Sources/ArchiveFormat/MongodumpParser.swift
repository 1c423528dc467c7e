internal import BSONBytes

/// Takes a mongodump archive apart as its bytes arrive, whatever the pieces they arrive in. Blocks
/// have no upper size, so documents come out in runs; memory is bounded by what was fed plus one
/// document.
public struct MongodumpParser: Sendable {
    /// What comes out, in file order.
    public enum Item: Sendable {
        case prelude(ArchivePrelude)
        /// Whole documents of one block, one after another.
        case documents(Namespace, [UInt8])
        /// The end of a namespace, with the checksum it claims.
        case end(Namespace, crc64: UInt64)
    }

    private enum State {
        case magic
        case prelude([BSONDocument])
        case blockHeader
        case documents(MongodumpBlock.Header)
    }

    private var state = State.magic
    private var buffer: [UInt8] = []
    private var position = 0

    public init() {}

    /// Hands in the next bytes.
    public mutating func feed(_ bytes: [UInt8]) {
        buffer.removeSubrange(..<position)
        position = 0
        buffer += bytes
    }

    /// The next item, or nil when more bytes are needed.
    ///
    /// - Throws: `notAnArchive` when the magic number is missing, `malformed`.
    public mutating func next() throws(ArchiveError) -> Item? {
        while true {
            switch state {
            case .magic:
                guard available >= 4 else { return nil }
                guard buffer[position..<position + 4].elementsEqual(MongodumpBlock.magic) else {
                    throw ArchiveError(.notAnArchive, "the bytes are no mongodump archive")
                }
                position += 4
                state = .prelude([])
            case .prelude(let documents):
                guard let item = try preludeItem(documents) else { return nil }
                return item
            case .blockHeader:
                guard available >= 4 else { return nil }
                guard let document = try takeDocument() else { return nil }
                state = .documents(try MongodumpBlock.Header(document))
            case .documents(let header):
                if let item = try blockItem(header) { return item }
                if case .documents = state { return nil }
            }
        }
    }

    /// Says that no bytes follow.
    ///
    /// - Throws: `truncated` unless the last block was complete.
    public func finish() throws(ArchiveError) {
        guard isAtBlock else {
            throw ArchiveError(.truncated, "the archive is cut inside a block")
        }
    }

    /// Whether everything was taken that was handed in, and a block may begin here.
    public var isAtBlock: Bool {
        guard case .blockHeader = state else { return false }
        return available == 0
    }

    private var available: Int { buffer.count - position }

    private mutating func preludeItem(
        _ documents: [BSONDocument]
    ) throws(ArchiveError) -> Item? {
        var documents = documents
        while true {
            guard available >= 4 else { break }
            if takeTerminator() {
                state = .blockHeader
                return .prelude(try ArchivePrelude(documents: documents))
            }
            guard documents.count <= ArchiveLimits.namespaceCountMax else {
                throw ArchiveError(.lengthOutOfBounds, "the archive lists too many namespaces")
            }
            guard let document = try takeDocument() else { break }
            documents.append(document)
        }
        state = .prelude(documents)
        return nil
    }

    /// The documents at hand of the open block, or its end.
    private mutating func blockItem(
        _ header: MongodumpBlock.Header
    ) throws(ArchiveError) -> Item? {
        let start = position
        while available >= 4, !isAtTerminator, let count = try wholeDocumentByteCount() {
            position += count
        }
        if position > start {
            guard !header.isEnd else {
                throw ArchiveError(
                    .malformed, "an end block holds documents",
                    namespace: header.namespace.description)
            }
            return .documents(header.namespace, Array(buffer[start..<position]))
        }
        guard takeTerminator() else { return nil }
        state = .blockHeader
        return header.isEnd ? .end(header.namespace, crc64: header.crc64) : nil
    }

    private var isAtTerminator: Bool {
        buffer[position..<position + 4].elementsEqual(MongodumpBlock.terminator)
    }

    private mutating func takeTerminator() -> Bool {
        guard available >= 4, isAtTerminator else { return false }
        position += 4
        return true
    }

    private mutating func takeDocument() throws(ArchiveError) -> BSONDocument? {
        guard let count = try wholeDocumentByteCount() else { return nil }
        let bytes = Array(buffer[position..<position + count])
        position += count
        do throws(BSONError) {
            return try BSONDocument(validating: bytes)
        } catch {
            throw ArchiveError(.malformed, "a document is damaged: \(error)")
        }
    }

    /// Length of the document at the position, or nil when it is not all there yet.
    private func wholeDocumentByteCount() throws(ArchiveError) -> Int? {
        guard available >= 4 else { return nil }
        let length = (0..<4).reduce(UInt32(0)) { $0 | UInt32(buffer[position + $1]) << (8 * $1) }
        guard length >= BSONLimits.documentByteCountMin, length <= BSONLimits.documentByteCountMax
        else {
            throw ArchiveError(
                .malformed, "\(length) is neither a document's length nor a terminator")
        }
        guard Int(length) <= available else { return nil }
        guard buffer[position + Int(length) - 1] == 0 else {
            throw ArchiveError(.malformed, "a document does not end in a zero byte")
        }
        return Int(length)
    }
}
