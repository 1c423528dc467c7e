import BSONBytes
import CMongoC

/// A connection on which a server is asked `hello` and nothing else: without credentials, and with
/// a deadline for all of it.
///
/// Unchecked: one thread at a time uses it, which its owner sees to.
final class HelloConnection: @unchecked Sendable {
    /// Why there is no answer.
    struct Failure: Error {
        enum Kind {
            /// Nothing came in time.
            case silent
            /// The other side ended the connection.
            case ended
            /// What came is not MongoDB's protocol.
            case foreign
            /// The caller was cancelled.
            case givenUp
        }

        let kind: Kind
        /// The first bytes of what is foreign.
        var bytes: [UInt8] = []

        /// Whether something is alive there.
        var isSignOfLife: Bool { kind == .ended || kind == .foreign }
    }

    /// Bytes of a reply to `hello`; a set of fifty members has far fewer.
    private static let replyByteCountMax = 1 << 20
    private static let headerByteCount = 16
    private static let messageCode: Int32 = 2013

    private let stream: UnsafeMutablePointer<mongoc_stream_t>
    private let link: ConnectionLink
    private var requestCount: Int32 = 0

    /// - Parameter stream: taken over.
    init(_ stream: UnsafeMutablePointer<mongoc_stream_t>, _ link: ConnectionLink) {
        self.stream = stream
        self.link = link
    }

    deinit {
        mongoc_stream_destroy(stream)
    }

    /// Sends `hello` and reads the answer, be it one or an error.
    ///
    /// - Throws: `Failure`, after which the connection is of no use.
    func ask(until deadline: Deadline) throws(Failure) -> BSONDocument {
        requestCount += 1
        var request = Self.request(number: requestCount)
        let count = request.count
        let sent = request.withUnsafeMutableBytes {
            mongoc_stream_write(stream, $0.baseAddress, count, deadline.remainingMilliseconds)
        }
        guard sent == count else { throw failure(deadline) }
        let header = try read(Self.headerByteCount, until: deadline)
        let length = Int(Self.number(header, at: 0))
        let isReply = Self.number(header, at: 12) == Self.messageCode
        guard isReply, length > Self.headerByteCount + 5, length <= Self.replyByteCountMax else {
            throw Failure(kind: .foreign, bytes: header)
        }
        let body = try read(length - Self.headerByteCount, until: deadline)
        // Four bytes of flags and the kind of the only section come first.
        guard
            let reply = try? BSONDocument(
                validating: Array(body[5...]), limit: Self.replyByteCountMax)
        else { throw Failure(kind: .foreign, bytes: header) }
        return reply
    }

    private func read(_ count: Int, until deadline: Deadline) throws(Failure) -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count {
            var piece = [UInt8](repeating: 0, count: count - bytes.count)
            let size = piece.count
            let received = piece.withUnsafeMutableBytes {
                mongoc_stream_read(stream, $0.baseAddress, size, 1, deadline.remainingMilliseconds)
            }
            guard received > 0 else {
                // Too short for a header, and yet an answer.
                guard bytes.isEmpty else { throw Failure(kind: .foreign, bytes: bytes) }
                throw failure(deadline)
            }
            bytes += piece[..<received]
            // Others greet whoever connects, or say at once that they do not understand.
            if bytes.count < Self.headerByteCount, Self.isText(bytes) {
                throw Failure(kind: .foreign, bytes: bytes)
            }
        }
        return bytes
    }

    private func failure(_ deadline: Deadline) -> Failure {
        if link.isCancelled { return Failure(kind: .givenUp) }
        return Failure(kind: deadline.isOver ? .silent : .ended)
    }

    /// `isMaster`, the name that every server knows, with a comment that makes a server of lines of
    /// text, such as of HTTP, answer instead of waiting for the end of a line.
    private static func request(number: Int32) -> [UInt8] {
        let command = BSONDocument {
            $0.append("isMaster", Int32(1))
            $0.append("helloOk", true)
            $0.append("comment", "\r\n\r\n")
            $0.append("$db", "admin")
        }
        let byteCount = headerByteCount + 5 + command.bytes.count
        let header = [Int32(byteCount), number, 0, messageCode, 0]
        return header.flatMap { number in
            withUnsafeBytes(of: number.littleEndian) { Array($0) }
        } + [0] + command.bytes
    }

    private static func number(_ bytes: [UInt8], at offset: Int) -> Int32 {
        (0..<4).reduce(Int32(0)) { $0 | Int32(bytes[offset + $1]) << (8 * Int32($1)) }
    }

    private static func isText(_ bytes: [UInt8]) -> Bool {
        bytes.count >= 4 && bytes.allSatisfy { 0x20..<0x7F ~= $0 || [9, 10, 13].contains($0) }
    }
}
