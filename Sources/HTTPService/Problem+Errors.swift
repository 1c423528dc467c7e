internal import AccessControl
internal import ArchiveFormat
internal import HTTPTypes
internal import Hummingbird
internal import MongoDriver
internal import ObjectStorage
internal import Operations
internal import ServiceState
internal import Snapshots

extension Problem {
    /// What an error of any layer means to a client.
    init(_ error: any Error) {
        switch error {
        case let error as Problem: self = error
        case let error as RequestErrors:
            self = .invalid(
                error.errors.map {
                    FieldError(place: .body, field: "/\($0.field)", message: $0.message)
                })
        case let error as JobFailure:
            self.init(Self.status(error.code), error.code, error.message)
        case let error as StateError where error.code == .invalidCursor:
            self = .invalid(.query, "cursor", "is not a value from an earlier answer")
        case let error as StateError where JobFailure(error).code.hasPrefix("state_"),
            let error as StateError where error.code == .noSpace || error.code == .closed:
            let failure = JobFailure(error)
            self.init(
                Self.status(failure.code), failure.code, failure.message,
                headers: [.retryAfter: error.code == .busy ? "1" : "30"])
        case is SnapshotError, is MongoError, is ObjectStorageError, is ArchiveError:
            let failure = JobFailure(error)
            self.init(Self.status(failure.code, error), failure.code, failure.message)
        case let error as any HTTPResponseError:
            self.init(error.status, "http_error", error.status.reasonPhrase)
        case is CancellationError:
            self.init(
                .serviceUnavailable, "shutting_down", "the service is shutting down; try again",
                headers: [.retryAfter: "5"])
        default:
            // What it says may be anything; the log has it.
            self.init(.internalServerError, "internal_error", "something went wrong inside")
        }
    }

    /// What a failed job means to who waits for its result.
    init(jobError record: JobRecord) {
        do {
            let error = try JSONText.decode(StoredError.self, record.error ?? "{}")
            self.init(Self.status(error.code), error.code, error.message)
        } catch {
            self.init(.internalServerError, "internal_error", "the job has no readable result")
        }
    }

    private struct StoredError: Decodable {
        var code: String
        var message: String
    }

    /// A role that does not suffice.
    static func forbidden(_ caller: Caller?, _ permission: Permission) -> Problem {
        Problem(
            .forbidden, "not_permitted",
            "the role \(caller?.role.rawValue ?? "") does not have the permission "
                + permission.description)
    }

    private static func status(_ code: String, _ error: any Error) -> HTTPResponse.Status {
        switch error {
        case is MongoError: .badGateway
        case is ArchiveError: .conflict
        default: status(code)
        }
    }

    private static let mongoCodes: Set<String> = [
        MongoError.Code.network.rawValue, MongoError.Code.serverSelection.rawValue,
        MongoError.Code.authentication.rawValue, MongoError.Code.tls.rawValue,
        MongoError.Code.wrongReplicaSet.rawValue, MongoError.Code.notMongoDB.rawValue,
    ]

    private static func status(_ code: String) -> HTTPResponse.Status {
        switch code {
        case "not_found": .notFound
        case "usage", "invalid_request", "result_too_large": .unprocessableContent
        case "too_many_jobs", "shutting_down", "repository_unavailable", "not_readable",
            "not_writable", "no_space", "state_not_writable", "state_busy", "state_failed",
            "lock_lost":
            .serviceUnavailable
        case "failed", "internal_error", "io", "gave_up", "state_damaged": .internalServerError
        case _ where mongoCodes.contains(code): .badGateway
        default: .conflict
        }
    }
}
