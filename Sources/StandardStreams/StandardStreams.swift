internal import Glibc

/// Makes the descriptors 0, 1 and 2 be what every program takes them for: standard input, output
/// and error. Where a program is started without one of them (`>&-`), the next thing that is opened
/// gets its number: an archive, a connection, the runtime's own queue of events; and what is meant
/// for standard output is written there. Here it becomes `/dev/null`, opened so that each use of it
/// fails: an input that can't be read, outputs that can't be written.
///
/// To be called before anything else is opened.
public func openStandardStreams() {
    // The lowest free number is what the system gives, so that each of them gets its own.
    for (descriptor, flags) in [
        (STDIN_FILENO, O_WRONLY), (STDOUT_FILENO, O_RDONLY), (STDERR_FILENO, O_RDONLY),
    ] where fcntl(descriptor, F_GETFD) == -1 && errno == EBADF {
        // Without /dev/null, as in an empty root folder, there is still the root folder.
        guard open("/dev/null", flags) != descriptor else { continue }
        guard open("/", O_RDONLY | O_DIRECTORY) != descriptor else { continue }
        _exit(1)
    }
}

/// What can be found out of a standard stream without using it.
public enum StandardStream: Int32, Sendable {
    case input = 0
    case output = 1
    case error = 2

    /// Whether it was opened so that it can be read, or written. A pipe whose reader is gone, and
    /// a full disk, are only found out by writing.
    public var isUsable: Bool {
        let flags = fcntl(rawValue, F_GETFL)
        guard flags != -1 else { return false }
        switch flags & O_ACCMODE {
        case O_RDWR: return true
        case O_RDONLY: return self == .input
        default: return self != .input
        }
    }

    /// Writes all of a text, waiting as long as it takes.
    ///
    /// - Returns: the error number when the system does not take it all; nil when it did.
    public func write(_ text: String) -> Int32? {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(rawValue, $0.baseAddress, $0.count) }
            if count >= 0 {
                rest = rest.dropFirst(count)
                continue
            }
            switch errno {
            case EINTR: continue
            case EAGAIN:
                // Somebody who shares it has made it non-blocking.
                var entry = pollfd(fd: rawValue, events: Int16(POLLOUT), revents: 0)
                poll(&entry, 1, -1)
            default: return errno
            }
        }
        return nil
    }
}
