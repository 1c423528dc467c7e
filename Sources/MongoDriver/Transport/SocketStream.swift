import CMongoC
import Glibc

/// A `WatchedSocket` as libmongoc's own kind of stream: the library's struct of functions, with a
/// reference to the socket behind it. The library destroys it.
enum SocketStream {
    /// Any number that libmongoc does not use for a kind of its own.
    private static let kind: CInt = 0x4341
    private static let socketOffset = MemoryLayout<mongoc_stream_t>.stride
    private static let byteCount = socketOffset + MemoryLayout<UnsafeRawPointer>.stride

    /// A stream that owns the socket.
    static func make(_ socket: WatchedSocket) -> UnsafeMutablePointer<mongoc_stream_t> {
        let storage = UnsafeMutableRawPointer.allocate(
            byteCount: byteCount, alignment: MemoryLayout<mongoc_stream_t>.alignment)
        let stream = storage.bindMemory(to: mongoc_stream_t.self, capacity: 1)
        stream.initialize(to: functions)
        (storage + socketOffset).storeBytes(
            of: Unmanaged.passRetained(socket).toOpaque(), as: UnsafeMutableRawPointer.self)
        return stream
    }

    /// Valid as long as the stream.
    private static func socket(_ stream: UnsafeMutablePointer<mongoc_stream_t>?) -> WatchedSocket? {
        reference(stream)?.takeUnretainedValue()
    }

    private static func reference(
        _ stream: UnsafeMutablePointer<mongoc_stream_t>?
    ) -> Unmanaged<WatchedSocket>? {
        stream.map {
            Unmanaged.fromOpaque(
                (UnsafeRawPointer($0) + socketOffset).load(as: UnsafeMutableRawPointer.self))
        }
    }

    private static var functions: mongoc_stream_t {
        var functions = mongoc_stream_t()
        functions.type = kind
        functions.destroy = { SocketStream.destroy($0) }
        functions.failed = { SocketStream.destroy($0) }
        // The descriptor is closed with the stream.
        functions.close = { _ in 0 }
        functions.flush = { _ in 0 }
        functions.readv = { SocketStream.read($0, $1, $2, $3, $4) }
        functions.writev = { SocketStream.write($0, $1, $2, $3) }
        functions.poll = { SocketStream.poll($0, $1, $2) }
        functions.setsockopt = { stream, level, name, value, count in
            SocketStream.socket(stream)?.setOption(level, name, value, count) ?? -1
        }
        functions.check_closed = { SocketStream.socket($0)?.isClosedByPeer ?? true }
        functions.timed_out = { SocketStream.socket($0)?.errnoOfLastCall == ETIMEDOUT }
        functions.should_retry = { stream in
            [EINTR, EAGAIN, EINPROGRESS].contains(SocketStream.socket(stream)?.errnoOfLastCall ?? 0)
        }
        return functions
    }

    private static func destroy(_ stream: UnsafeMutablePointer<mongoc_stream_t>?) {
        reference(stream)?.release()
        UnsafeMutableRawPointer(stream)?.deallocate()
    }

    /// Negative waits without an end, as libmongoc means it.
    private static func deadline(_ milliseconds: Int32) -> Deadline? {
        milliseconds < 0 ? nil : Deadline(milliseconds: Int(milliseconds))
    }

    private static func read(
        _ stream: UnsafeMutablePointer<mongoc_stream_t>?, _ pieces: UnsafeMutablePointer<iovec>?,
        _ count: Int, _ byteCountMin: Int, _ timeout: Int32
    ) -> Int {
        guard let socket = socket(stream), let pieces else { return -1 }
        let deadline = deadline(timeout)
        var total = 0
        for index in 0..<count {
            var offset = 0
            while offset < pieces[index].iov_len {
                let received = socket.receive(
                    into: pieces[index].iov_base + offset, pieces[index].iov_len - offset,
                    until: deadline)
                guard received > 0 else { return total >= byteCountMin ? total : -1 }
                total += received
                offset += received
                let isFull = index == count - 1 && offset == pieces[index].iov_len
                if total >= byteCountMin || isFull { return total }
            }
        }
        return total
    }

    private static func write(
        _ stream: UnsafeMutablePointer<mongoc_stream_t>?, _ pieces: UnsafeMutablePointer<iovec>?,
        _ count: Int, _ timeout: Int32
    ) -> Int {
        guard let socket = socket(stream), let pieces, count > 0 else { return -1 }
        let deadline = deadline(timeout)
        return withUnsafeTemporaryAllocation(of: iovec.self, capacity: count) { rest in
            _ = rest.initialize(from: UnsafeBufferPointer(start: pieces, count: count))
            var first = 0
            var total = 0
            while first < count {
                var sent = socket.send(
                    UnsafeMutableBufferPointer(rebasing: rest[first...]), until: deadline)
                // What was sent in part counts; libmongoc compares the number itself.
                guard sent >= 0 else { return total > 0 ? total : -1 }
                total += sent
                while first < count, sent >= rest[first].iov_len {
                    sent -= rest[first].iov_len
                    first += 1
                }
                if first < count {
                    rest[first].iov_base += sent
                    rest[first].iov_len -= sent
                }
            }
            return total
        }
    }

    /// libmongoc waits for one of ours alone, during a TLS handshake.
    private static func poll(
        _ entries: UnsafeMutablePointer<mongoc_stream_poll_t>?, _ count: Int, _ timeout: Int32
    ) -> Int {
        guard let entries, count == 1, let socket = socket(entries[0].stream) else {
            errno = EINVAL
            return -1
        }
        let events = CShort(truncatingIfNeeded: entries[0].events)
        guard socket.wait(for: events, until: deadline(timeout)) else {
            return socket.errnoOfLastCall == ECONNABORTED ? -1 : 0
        }
        entries[0].revents = entries[0].events
        return 1
    }
}
