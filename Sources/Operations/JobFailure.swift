internal import ArchiveFormat
internal import MongoDriver
internal import ObjectStorage
internal import ServiceState
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
        case let error as StateError: self.init(Self.code(error), Self.sentence(error))
        case let error as RequestErrors: self.init("invalid_request", error.description)
        case is CancellationError: self.init("cancelled", "the job was cancelled")
        default: self.init("failed", "\(error)")
        }
    }

    /// The same with what is live already of a restore that has ended with an error.
    func adding(_ error: any Error) -> JobFailure {
        guard let live = (error as? SnapshotError)?.alreadyLive else { return self }
        return JobFailure(code, "\(message); \(ServiceWords.inFields(live))")
    }

    /// Problems of the service's records have words of their own, for the repository's are others.
    private static func code(_ error: StateError) -> String {
        switch error.code {
        case .noSpace: "no_space"
        case .noPermission, .readOnly: "state_not_writable"
        case .busy: "state_busy"
        case .closed: "shutting_down"
        case .damaged: "state_damaged"
        case .io, .notFound: "state_failed"
        default: error.code.rawValue
        }
    }

    /// Without the path, which is the machine's business; the log has it.
    private static func sentence(_ error: StateError) -> String {
        switch error.code {
        case .noSpace:
            "the disk of the service's records is full, and nothing is done that can't be written "
                + "down; free some space there"
        case .noPermission, .readOnly: "the service's records can't be written; check their owner"
        case .busy: "another process uses the service's records; try again"
        case .closed: "the service is shutting down; try again later"
        case .damaged: "the service's records are damaged; the log says where"
        case .io, .notFound: "the disk of the service's records has failed, or is gone"
        default: error.message
        }
    }

    public var description: String { message }

    /// As a record keeps it.
    public var text: String {
        JSONValue.object(["code": .string(code), "message": .string(message)]).text
    }
}
