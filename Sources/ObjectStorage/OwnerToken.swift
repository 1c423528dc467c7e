import Glibc

/// Names one running process so that what it leaves behind can be recognised once it is dead.
///
/// The text is `<host>-<process id>-<start>`, such as `3f9a1c20-12345-9b1c3d5e`: at most 32 of the
/// characters 0-9, a-z and `-`. The host is a hash of host name, `/etc/machine-id` and process-id
/// namespace; the start, of boot id and the process's start time, so that a process id used again
/// is somebody else.
public struct OwnerToken: Hashable, Sendable, CustomStringConvertible {
    /// What can be said about the process from here.
    public enum State: Hashable, Sendable {
        /// It runs.
        case alive
        /// It has ended.
        case dead
        /// It belongs to another host or container, which this one knows nothing about.
        case elsewhere
    }

    /// Bytes of the longest text.
    public static let byteCountMax = 32
    /// The token of this process.
    public static let current = OwnerToken(processID: getpid())

    private let host: String
    /// The process's id on its host.
    public let processID: Int32
    private let start: String

    /// The token of a process of this host.
    init(processID: Int32) {
        host = Self.thisHost
        self.processID = processID
        start = ProcessEntry(processID)?.startHash ?? shortHash("")
    }

    /// Reads a token's text; nil for anything else.
    public init?(parsing text: String) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false).map(String.init)
        guard text.utf8.count <= Self.byteCountMax, parts.count == 3,
            Self.isHash(parts[0]), Self.isHash(parts[2]), let processID = Int32(parts[1]),
            processID > 0, parts[1] == String(processID)
        else { return nil }
        host = parts[0]
        self.processID = processID
        start = parts[2]
    }

    /// What this host is called.
    public static let hostName: String = {
        let name = contents("/proc/sys/kernel/hostname")?.split(separator: "\n").first
        return name.map(String.init) ?? "unknown"
    }()

    /// The token's text.
    public var description: String { "\(host)-\(processID)-\(start)" }

    /// Whether the process still runs. Doubt counts as alive.
    public var state: State {
        guard host == Self.thisHost else { return .elsewhere }
        if kill(processID, 0) != 0, errno == ESRCH { return .dead }
        // Hidden from this user, though it exists.
        guard let entry = ProcessEntry(processID) else { return .alive }
        return entry.startHash == start && entry.isRunning ? .alive : .dead
    }

    private static let thisHost: String = {
        var namespace = stat()
        _ = stat("/proc/self/ns/pid", &namespace)
        let names = ["/proc/sys/kernel/hostname", "/etc/machine-id"].map { contents($0) ?? "" }
        return shortHash("\(names.joined())\(namespace.st_ino)")
    }()

    private static func isHash(_ text: String) -> Bool {
        text.utf8.count == 8
            && text.utf8.allSatisfy { Array("0123456789abcdef".utf8).contains($0) }
    }
}

/// What `/proc` says about a process.
private struct ProcessEntry {
    /// Tells this process from every other one that ever had its id.
    let startHash: String
    /// Whether any of its threads still runs.
    let isRunning: Bool

    /// Nil when there is no such process or it may not be looked at.
    init?(_ processID: Int32) {
        // The name in parentheses may hold spaces and parentheses; state is the field behind it,
        // start time the twentieth of those.
        guard
            let fields = contents("/proc/\(processID)/stat")?
                .split(separator: ")").last?.split(separator: " "), fields.count > 19
        else { return nil }
        let boot = contents("/proc/sys/kernel/random/boot_id") ?? ""
        startHash = shortHash("\(boot)\n\(fields[19])")
        // A zombie is dead, unless only its first thread has ended: Swift's main thread does so
        // when it hands over to the dispatch queue.
        let hasEnded = fields[0] == "Z" || fields[0] == "X"
        isRunning = !hasEnded || (Int(fields[17]) ?? 1) > 1
    }
}

/// The start of a small file; nil when it cannot be read, which here means "not known".
private func contents(_ path: String) -> String? {
    do {
        let bytes = try OpenFile(path: path, flags: O_RDONLY).read(at: 0, count: 4096)
        return String(decoding: bytes, as: UTF8.self)
    } catch {
        return nil
    }
}

/// Eight hexadecimal digits (FNV-1a, 32 bits).
private func shortHash(_ text: String) -> String {
    let value = text.utf8.reduce(UInt32(2_166_136_261)) { ($0 ^ UInt32($1)) &* 16_777_619 }
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 8 - digits.count) + digits
}
