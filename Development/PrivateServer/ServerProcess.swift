import Glibc

/// A `mongod` under the eyes of a shell that reads orders from a socket. When our end closes, be it
/// because this process was killed, the shell kills the server and removes its folder.
///
/// A parent-death signal would not do: it fires when the thread ends that started the process, and
/// the threads of a dispatch queue come and go. Calls block; the owner is an actor on a thread of
/// its own.
final class ServerProcess {
    /// Holds data and log; gone when the shell is.
    let folder: String
    private let orders: CInt
    private let shell: pid_t

    /// Answers every order with one line. Own session, so that a Ctrl-C meant for us ends neither
    /// the shell before it has cleaned up nor the server. Whatever else this process has open is
    /// closed first: it would stay open as long as the server runs, and whoever waits for the end
    /// of a pipe would wait that long. (Only bash closes descriptors above 9.)
    private static let script = """
        exec 2>/dev/null; trap : HUP INT TERM
        for file in /proc/$$/fd/*; do
            (( ${file##*/} > 2 )) && eval "exec ${file##*/}>&-"
        done
        folder=$1; shift; server=
        end() {
            [ -n "$server" ] && kill "$1" "$server" && kill -CONT "$server" && wait "$server"
            server=
        }
        # Threads stop one after another, and those that run may answer until then.
        freeze() {
            [ -n "$server" ] && kill -STOP "$server" || return
            while grep -h ^State: /proc/"$server"/task/*/status | grep -qv T; do sleep 0.01; done
        }
        while read -r order; do
            case $order in
                start) "$@" </dev/null >>"$folder/output" 2>&1 & server=$! ;;
                stop) end -TERM ;;
                kill) end -KILL ;;
                freeze) freeze ;;
                thaw) [ -n "$server" ] && kill -CONT "$server" ;;
            esac
            echo done
        done
        end -KILL
        rm -rf "$folder"
        """

    /// Makes a folder and starts the shell, not yet the server.
    ///
    /// - Parameter command: gets the folder, returns the server's command line.
    /// - Throws: `PrivateServerError` with `system`.
    init(_ command: (_ folder: String) -> [String]) throws {
        folder = try Self.makeFolder()
        var ends: [CInt] = [0, 0]
        // Closed on exec: no other child may hold our end, or it would never close.
        let type = SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue
        guard socketpair(AF_UNIX, CInt(type), 0, &ends) == 0 else {
            throw PrivateServerError(.system, "no socket (errno \(errno))")
        }
        defer { close(ends[1]) }
        orders = ends[0]
        let arguments = ["bash", "-c", Self.script, "cairn-private-server", folder]
        shell = try Self.spawn("/bin/bash", arguments + command(folder), input: ends[1])
    }

    deinit {
        close(orders)
        var status: CInt = 0
        waitpid(shell, &status, 0)
    }

    /// Gives an order (`start`, `stop`, `kill`, `freeze`, `thaw`) and waits until it was carried
    /// out. A frozen server answers nothing, while the system still takes connections for it.
    ///
    /// - Throws: `PrivateServerError` with `system` when the shell is gone.
    func order(_ order: String) throws {
        let line = Array("\(order)\n".utf8)
        guard send(orders, line, line.count, CInt(MSG_NOSIGNAL)) == line.count else {
            throw PrivateServerError(.system, "the private server's shell is gone")
        }
        var byte: UInt8 = 0
        while byte != UInt8(ascii: "\n") {
            guard read(orders, &byte, 1) == 1 else {
                throw PrivateServerError(.system, "the private server's shell is gone")
            }
        }
    }

    private static func makeFolder() throws -> String {
        let parent = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        var template = Array("\(parent)/cairn-mongod-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw PrivateServerError(.system, "no folder in \(parent) (errno \(errno))")
        }
        return template.withUnsafeBytes { String(decoding: $0.dropLast(), as: UTF8.self) }
    }

    /// `POSIX_SPAWN_SETSID`, which glibc's headers keep for C with GNU extensions.
    private static let newSession: Int16 = 0x80

    private static func spawn(
        _ path: String, _ arguments: [String], input: CInt
    ) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawnattr_init(&attributes)
        defer {
            posix_spawn_file_actions_destroy(&actions)
            posix_spawnattr_destroy(&attributes)
        }
        posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO)
        posix_spawn_file_actions_adddup2(&actions, input, STDOUT_FILENO)
        // The threads of dispatch queues block signals; a shell born with SIGCHLD blocked would
        // wait for its server for ever.
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        posix_spawnattr_setflags(&attributes, newSession | Int16(POSIX_SPAWN_SETSIGMASK))
        var pointers = arguments.map { strdup($0) } + [nil]
        defer { pointers.forEach { free($0) } }
        var process: pid_t = 0
        let status = posix_spawn(&process, path, &actions, &attributes, &pointers, environ)
        guard status == 0 else {
            throw PrivateServerError(.system, "no process for \(path) (errno \(status))")
        }
        return process
    }
}

/// A TCP port of the loopback interface that nobody uses now.
func freeLoopbackPort() throws -> UInt16 {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    guard descriptor >= 0 else {
        throw PrivateServerError(.system, "no socket (errno \(errno))")
    }
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var count = socklen_t(MemoryLayout<sockaddr_in>.size)
    let status = withUnsafeMutableBytes(of: &address) { bytes -> CInt in
        let pointer = bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self)
        guard let pointer, bind(descriptor, pointer, count) == 0 else { return -1 }
        return getsockname(descriptor, pointer, &count)
    }
    guard status == 0 else { throw PrivateServerError(.system, "no free port (errno \(errno))") }
    return UInt16(bigEndian: address.sin_port)
}
