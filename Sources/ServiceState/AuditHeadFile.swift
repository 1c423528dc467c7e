internal import ArchiveFormat
internal import GRDB
internal import Glibc
internal import Synchronization

/// The audit log's head outside the database: the file `audit.head`, by which a log that was cut
/// off at its end is found, also when the database's own count was put right.
///
/// The file has two lines of 128 bytes, each `cairn-audit-head 1 <count> <hash> <check>`, filled up
/// with blanks; the check is the first 8 digits of the SHA-256 of what stands in front of it. Heads
/// are written to the lines in turn, so that a write that is cut short spoils one of them only. The
/// one with the larger count is meant.
///
/// A head is written and synced right behind its entry's transaction. So after a kill the file may
/// be behind the database, which is made up for at the next opening; it can't be ahead. If it is
/// ahead, or does not fit the log, or is gone, somebody has touched one of them: then the file is
/// left as it is, to go on saying so, until `resealAuditHead` is called.
final class AuditHeadFile: Sendable {
    /// What the file says.
    enum Content: Equatable {
        /// There is no file.
        case missing
        /// No line of it holds a head.
        case unreadable
        /// The head.
        case head(AuditHead)
    }

    private static let lineByteCount = 128
    private static let word = "cairn-audit-head 1"

    private let path: String
    /// The head that was written last, or should have been; nil while the file is left as it is.
    private let last = Mutex<AuditHead?>(nil)
    /// Whether `last` could not be written.
    private let isBehind = Mutex(false)

    /// Does nothing yet.
    init(path: String) {
        self.path = path
    }

    /// What the file says now.
    ///
    /// - Throws: `StateError` when it can't be read at all.
    func content() throws -> Content {
        let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { return .missing }
            throw StateError("cannot open", path: path, errno: errno)
        }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 2 * Self.lineByteCount)
        let count = pread(descriptor, &bytes, bytes.count, 0)
        guard count >= 0 else { throw StateError("cannot read", path: path, errno: errno) }
        let heads = [0, Self.lineByteCount].compactMap { start in
            Self.head(bytes[min(start, count)..<min(start + Self.lineByteCount, count)])
        }
        return heads.max { $0.count < $1.count }.map { .head($0) } ?? .unreadable
    }

    /// Begins to write to the file, if it fits the log.
    func open(_ database: Database) throws {
        guard let head = try AuditHead.find(database) else { return }
        switch try content() {
        case .missing where head == .empty:
            try reset(to: head)
        case .head(let noted) where try noted.isPart(ofLogUpTo: head, database):
            last.withLock { $0 = head }
            if noted != head { try write(head) }
        default: break
        }
    }

    /// Writes the head after one more entry; nothing while the file is left as it is. It is from
    /// now on if the log's end is not what this process has made it.
    func advance(from previous: AuditHead, to head: AuditHead) throws {
        let isExpected = last.withLock { last in
            let isExpected = last == previous
            // Should writing fail, the file is behind, as after a kill.
            last = isExpected ? head : nil
            return isExpected
        }
        if isExpected { try writeOrNote(head) }
    }

    /// Writes the head that could not be written before, if any.
    func catchUp() throws {
        guard isBehind.withLock({ $0 }), let head = last.withLock({ $0 }) else { return }
        try writeOrNote(head)
    }

    private func writeOrNote(_ head: AuditHead) throws {
        isBehind.withLock { $0 = true }
        try write(head)
        isBehind.withLock { $0 = false }
    }

    /// Writes a head whatever the file said before.
    func reset(to head: AuditHead) throws {
        let blanks = String(repeating: " ", count: Self.lineByteCount - 1) + "\n"
        try write(Array((blanks + blanks).utf8), at: 0)
        try write(head)
        last.withLock { $0 = head }
    }

    private func write(_ head: AuditHead) throws {
        try write(
            Self.line(head), at: Int(head.count % 2) * Self.lineByteCount)
    }

    private func write(_ bytes: [UInt8], at offset: Int) throws {
        let descriptor = Glibc.open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw StateError("cannot open", path: path, errno: errno) }
        defer { close(descriptor) }
        let count = pwrite(descriptor, bytes, bytes.count, offset)
        guard count == bytes.count, fdatasync(descriptor) == 0 else {
            // One that is cut short has no error of its own: nothing more fits.
            let isCut = (0..<bytes.count).contains(count)
            throw StateError("cannot write", path: path, errno: isCut ? ENOSPC : errno)
        }
    }

    private static func line(_ head: AuditHead) -> [UInt8] {
        let text = "\(word) \(head.count) \(head.hash)"
        let line = "\(text) \(check(text))"
        let blanks = String(repeating: " ", count: lineByteCount - 1 - line.utf8.count)
        return Array("\(line)\(blanks)\n".utf8)
    }

    private static func check(_ text: String) -> Substring {
        SHA256Digest(of: Array(text.utf8)).description.prefix(8)
    }

    /// The head that a line holds, or nil.
    private static func head(_ line: ArraySlice<UInt8>) -> AuditHead? {
        let parts = String(decoding: line, as: UTF8.self)
            .split { $0 == " " || $0 == "\n" }.map(String.init)
        guard parts.count == 5, "\(parts[0]) \(parts[1])" == word, let count = Int64(parts[2]),
            count >= 0, parts[4] == check(parts[..<4].joined(separator: " "))
        else { return nil }
        return AuditHead(count: count, hash: parts[3])
    }
}

extension AuditHead {
    /// The head that the database's own table holds.
    ///
    /// - Throws: `StateError(.damaged)` when it is gone.
    static func fetch(_ database: Database) throws -> AuditHead {
        guard let head = try find(database) else {
            throw StateError(.damaged, "the audit log's head is missing")
        }
        return head
    }

    /// The same, or nil when it is gone.
    fileprivate static func find(_ database: Database) throws -> AuditHead? {
        try Row.fetchOne(database, sql: "SELECT count, hash FROM audit_head").map { row in
            AuditHead(
                count: try row.decode(forColumn: "count"), hash: try row.decode(forColumn: "hash"))
        }
    }

    /// Whether the log had this head when it was shorter or as long as it is now.
    fileprivate func isPart(ofLogUpTo head: AuditHead, _ database: Database) throws -> Bool {
        if self == .empty || self == head { return true }
        guard count < head.count else { return false }
        return try String.fetchOne(
            database, sql: "SELECT hash FROM audit_log WHERE sequence = ?", arguments: [count])
            == hash
    }
}
