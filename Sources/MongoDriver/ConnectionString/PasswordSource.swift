import Glibc

/// Where a user's password comes from when the connection string does not have it: command lines
/// and environments are seen by others more easily than a file.
public enum PasswordSource: Sendable {
    /// The connection string, or there is none.
    case connectionString
    /// A file, which may be a pipe.
    case file(String)
    /// Whoever sits at the terminal.
    case terminal

    /// The most bytes of a password.
    public static let byteCountMax = 4096

    /// - Parameters:
    ///   - file: the path of a file; nil for none.
    ///   - asks: whether it is asked for on the terminal.
    /// - Returns: nil when it is to come from two places.
    public init?(file: String?, asks: Bool) {
        switch (file, asks) {
        case (nil, false): self = .connectionString
        case (let path?, false): self = .file(path)
        case (nil, true): self = .terminal
        case (.some, true): return nil
        }
    }

    /// Reads it. Blocks.
    ///
    /// - Parameters:
    ///   - connectionString: what it is for, to be shown without its secrets.
    ///   - warn: told that others may read the file.
    /// - Returns: nil when it is the connection string's affair.
    /// - Throws: `MongoError` with `password`, or with `invalidURI` for a connection string that
    ///   can't be used with one; `CancellationError`.
    public func password(
        for connectionString: String, warn: (String) -> Void
    ) throws -> String? {
        switch self {
        case .connectionString: return nil
        case .file(let path): return try Self.read(path, warn)
        case .terminal:
            // What is wrong with the rest is said before anybody types.
            let uri = try MongoURI(connectionString, password: "x")
            return try Self.checked(
                TerminalQuestion.ask("Password for \(uri.description): "), "what was typed")
        }
    }

    private static func read(_ path: String, _ warn: (String) -> Void) throws -> String {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw unreadable(path, errno) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw unreadable(path, errno) }
        guard status.st_mode & S_IFMT != S_IFDIR else { throw unreadable(path, EISDIR) }
        if status.st_mode & S_IFMT == S_IFREG, status.st_mode & 0o077 != 0 {
            warn("others may read the password's file \(path); chmod 600 keeps it a secret")
        }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: byteCountMax + 3)
        while bytes.count <= byteCountMax + 2 {
            let count = Glibc.read(descriptor, &piece, piece.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw unreadable(path, errno) }
            guard count > 0 else { break }
            bytes += piece[..<count]
        }
        if bytes.last == UInt8(ascii: "\n") {
            bytes.removeLast()
            if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
        }
        return try checked(bytes, "the password's file \(path)")
    }

    private static func checked(_ bytes: [UInt8], _ place: String) throws -> String {
        guard !bytes.isEmpty else { throw MongoError(.password, "\(place) is empty") }
        guard bytes.count <= byteCountMax else {
            throw MongoError(.password, "\(place) has more than \(byteCountMax) bytes")
        }
        guard !bytes.contains(0), !bytes.contains(UInt8(ascii: "\n")),
            let text = String(validating: bytes, as: UTF8.self)
        else {
            throw MongoError(.password, "\(place) must be one line of UTF-8 text")
        }
        return text
    }

    private static func unreadable(_ path: String, _ code: CInt) -> MongoError {
        MongoError(
            .password,
            "the password's file \(path) can't be read: \(String(cString: strerror(code)))")
    }
}
