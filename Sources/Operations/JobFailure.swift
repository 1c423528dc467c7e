internal import ArchiveFormat
internal import MongoDriver
internal import ObjectStorage
internal import SnapshotJSON
internal import Snapshots

/// Why a job has failed: a stable word and a sentence, as its record keeps them.
public struct JobFailure: Error, Sendable, Hashable, CustomStringConvertible {
    /// A stable word; those of the layers below, and this layer's own.
    public var code: String
    /// What failed, where, and what to do.
    public var message: String

    public init(_ code: String, _ message: String) {
        self.code = code
        self.message = message
    }

    /// What an error of any layer means.
    public init(_ error: any Error) {
        switch error {
        case let error as JobFailure: self = error
        case let error as MongoError: self.init(error.code.rawValue, error.description)
        case let error as ObjectStorageError:
            // Without the path, which is the machine's business; the log has it.
            self.init(
                error.code == .notFound ? "repository_unavailable" : error.code.rawValue,
                "the repository: \(error.summary)")
        case let error as SnapshotError:
            self.init(error.code.rawValue, ServiceWords.inFields(error.description))
        case let error as ArchiveError: self.init(error.code.rawValue, "\(error)")
        case is CancellationError: self.init("cancelled", "the job was cancelled")
        default: self.init("failed", "\(error)")
        }
    }

    public var description: String { message }

    /// As a record keeps it.
    public var text: String {
        JSONValue.object(["code": .string(code), "message": .string(message)]).text
    }
}
