internal import ArchiveFormat
internal import MongoDriver
internal import ObjectStorage
internal import SnapshotJSON
internal import Snapshots

/// Why the program ends without having done what was asked: the one place where errors of all
/// layers become an exit status and a sentence.
struct Failure: Error, Equatable {
    let status: ProgramStatus
    /// A stable word for it, for machines.
    let code: String
    /// What failed, where, and what to do: one sentence, without a period.
    let message: String

    /// A failure that only this layer knows.
    init(_ status: ProgramStatus, _ code: String, _ message: String) {
        self.status = status
        self.code = code
        self.message = message
    }

    /// The code of a failure because the reader of a pipe is gone.
    static let brokenPipeCode = ObjectStorageError.Code.brokenPipe.rawValue

    /// A command that can't be understood.
    static func usage(_ message: String) -> Failure { Failure(.usage, "usage", message) }

    /// What an error of any layer means.
    init(_ error: any Error) {
        switch error {
        case let error as Failure: self = error
        case let error as MongoError: self.init(error)
        case let error as ObjectStorageError: self.init(error)
        case let error as SnapshotError: self.init(error)
        case let error as ArchiveError: self.init(error, inArchive: nil)
        case is CancellationError: self.init(.cancelled, "cancelled", "cancelled")
        default: self.init(.failed, "failed", "\(error)")
        }
    }

    /// A defect of an archive, with the archive's name in front.
    init(_ error: ArchiveError, inArchive name: String?) {
        let place = name.map { "\($0): " } ?? ""
        let hint = Self.hint(for: error.code).map { "; \($0)" } ?? ""
        self.init(
            error.code == .invalidOption ? .usage : .damaged, error.code.rawValue,
            "\(place)\(error)\(hint)")
    }

    private init(_ error: MongoError) {
        self.init(
            [.invalidURI, .password].contains(error.code) ? .usage : .failed, error.code.rawValue,
            error.description)
    }

    private init(_ error: ObjectStorageError) {
        let status: ProgramStatus =
            switch error.code {
            case .notARepository: .noRepository
            case .truncated: .damaged
            default: .failed
            }
        let isTaken = error.code == .alreadyExists && error.hint == nil
        self.init(
            status, error.code.rawValue,
            error.description + (isTaken ? "; choose another name, or remove it first" : ""))
    }

    /// A namespace conflict is no misuse: the command was understood, and only the archive and the
    /// server together say that it can't be done.
    private init(_ error: SnapshotError) {
        let status: ProgramStatus =
            switch error.code {
            case .usage: .usage
            case .noRepository: .noRepository
            case .locked, .lockLost: .locked
            default: .failed
            }
        let hint: String? =
            switch error.code {
            case .locked: "wait for it to end, or give --lock-wait"
            case .lastVerified: "give --force to remove it all the same"
            default: nil
            }
        self.init(
            status, error.code.rawValue, error.description + (hint.map { "; \($0)" } ?? ""))
    }

    private static func hint(for code: ArchiveError.Code) -> String? {
        switch code {
        case .truncated, .checksumMismatch, .codecFailed, .malformed, .lengthOutOfBounds:
            "copy the file again, or use another snapshot"
        case .notAnArchive:
            "give a file that cairn backup or mongodump wrote, or a folder that mongodump wrote"
        case .unsupportedVersion: "use a newer cairn"
        default: nil
        }
    }

    /// The failure as an object for machines.
    var json: JSONValue {
        .object([
            "error": .object(["code": .string(code), "message": .string(message)]),
            "exit_code": .count(UInt64(status.rawValue)),
        ])
    }
}

/// Runs `body` and puts the archive's name in front of what it finds damaged.
func naming<Result>(
    _ archive: String, _ body: () async throws -> Result
) async throws -> Result {
    do {
        return try await body()
    } catch let error as ArchiveError {
        throw Failure(error, inArchive: archive)
    }
}
