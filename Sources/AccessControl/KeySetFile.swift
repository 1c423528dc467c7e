internal import FoundationEssentials
internal import Glibc
internal import Synchronization

/// The keys of a JWKS file, read again when the file has changed.
final class KeySetFile: Sendable {
    private struct State {
        var keys: KeySet?
        /// The file's when the keys, or the failure, came from it.
        var stamp: FileStamp?
        var checkedAt: Date?
        var failure: AccessError?
    }

    private let path: String
    private let algorithms: Set<SigningAlgorithm>
    private let staleSeconds: Double
    private let state = Mutex(State())

    init(path: String, algorithms: Set<SigningAlgorithm>, staleSeconds: Double) {
        self.path = path
        self.algorithms = algorithms
        self.staleSeconds = staleSeconds
    }

    /// The keys as the file has them now; for a while those it had, when it is gone or useless.
    ///
    /// - Throws: ``AccessError`` with the reason `keysUnavailable`.
    func keys(now: Date) async throws -> KeySet {
        do {
            let stamp = try FileStamp(path)
            if let known = try recall(stamp, now: now) { return known }
            return try await read(stamp, now: now)
        } catch let error as AccessError {
            return try state.withLock { state in
                state.failure = error
                let age = state.checkedAt.map { now.timeIntervalSince($0) }
                guard let keys = state.keys, let age, age <= staleSeconds else { throw error }
                return keys
            }
        }
    }

    /// For a readiness check.
    var status: KeySetStatus {
        state.withLock {
            KeySetStatus(
                keyCount: $0.keys?.count ?? 0,
                checkedAtSeconds: $0.checkedAt?.timeIntervalSince1970,
                failure: $0.failure?.detail)
        }
    }

    /// What the file held when it was last read, if it is as it was then: keys, or the same
    /// failure.
    private func recall(_ stamp: FileStamp, now: Date) throws -> KeySet? {
        try state.withLock { state in
            guard state.stamp == stamp else { return nil }
            if let failure = state.failure { throw failure }
            state.checkedAt = now
            return state.keys
        }
    }

    private func read(_ stamp: FileStamp, now: Date) async throws -> KeySet {
        do {
            let keys = try await KeySet(jwks: stamp.read(path), algorithms: algorithms)
            state.withLock { $0 = State(keys: keys, stamp: stamp, checkedAt: now, failure: nil) }
            return keys
        } catch let error as AccessError {
            state.withLock { state in
                state.stamp = stamp
                state.failure = error
            }
            throw error
        }
    }
}

/// What changes when a file does, also when another was put in its place.
private struct FileStamp: Equatable {
    let device: UInt
    let inode: UInt
    let byteCount: Int
    let modifiedSeconds: Int
    let modifiedNanoseconds: Int

    init(_ path: String) throws {
        var status = stat()
        guard stat(path, &status) == 0 else {
            throw Self.unreadable(String(cString: strerror(errno)))
        }
        // Opening a pipe would wait for its other end.
        guard status.st_mode & S_IFMT == S_IFREG else { throw Self.unreadable("not a file") }
        device = UInt(status.st_dev)
        inode = UInt(status.st_ino)
        byteCount = Int(status.st_size)
        modifiedSeconds = status.st_mtim.tv_sec
        modifiedNanoseconds = status.st_mtim.tv_nsec
        guard byteCount <= KeySet.byteCountMax else { throw Self.unreadable("larger than 1 MiB") }
    }

    /// All of the file, but no more than a byte beyond the limit, whatever it has become.
    func read(_ path: String) throws -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Self.unreadable(String(cString: strerror(errno))) }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: KeySet.byteCountMax + 1)
        var count = 0
        while count < bytes.count {
            let taken = bytes.withUnsafeMutableBytes { buffer in
                Glibc.read(
                    descriptor, buffer.baseAddress?.advanced(by: count), buffer.count - count)
            }
            if taken < 0 && errno == EINTR { continue }
            guard taken >= 0 else { throw Self.unreadable(String(cString: strerror(errno))) }
            if taken == 0 { break }
            count += taken
        }
        return Array(bytes[..<count])
    }

    private static func unreadable(_ detail: String) -> AccessError {
        AccessError(.keysUnavailable, detail: "the JWKS file: \(detail)")
    }
}
