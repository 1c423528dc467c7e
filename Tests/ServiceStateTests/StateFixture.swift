import Foundation
import GRDB
import Testing

@testable import ServiceState

/// A folder of its own for one test, removed with it.
final class TemporaryFolder: Sendable {
    let path: String

    init() {
        path = NSTemporaryDirectory() + "cairn-state-\(UUID().uuidString)"
    }

    deinit {
        do { try FileManager.default.removeItem(atPath: path) } catch { print("left: \(path)") }
    }

    /// A copy of all its files as they are now.
    func copy() throws -> TemporaryFolder {
        let copy = TemporaryFolder()
        try FileManager.default.copyItem(atPath: path, toPath: copy.path)
        return copy
    }

    /// Opens the database for whatever a store would not do.
    func withDatabase<Value>(_ body: (Database) throws -> Value) throws -> Value {
        let queue = try DatabaseQueue(path: path + "/state.sqlite")
        let value = try queue.writeWithoutTransaction(body)
        try queue.close()
        return value
    }

    /// What can be done by others with a file, as three octal digits.
    func permissions(of name: String) throws -> String {
        let attributes = try FileManager.default.attributesOfItem(atPath: path + "/" + name)
        let permissions = try #require(attributes[.posixPermissions] as? NSNumber)
        return String(permissions.intValue, radix: 8)
    }
}

/// The code of the state error that `body` throws; nil when it throws none or another one.
func codeThrown(_ body: () async throws -> Void) async -> StateError.Code? {
    do {
        try await body()
        return nil
    } catch {
        return (error as? StateError)?.code
    }
}

extension JobRecord {
    /// A job of which nothing but what is named matters.
    static func made(_ id: String, kind: String = "backup", at instant: Int64 = 1000) -> JobRecord {
        JobRecord(
            id: id, kind: kind, createdBy: "ann", createdAt: instant,
            request: "{\"backup_type\":\"manual\"}")
    }
}

extension AuditEvent {
    /// An event of which nothing but its number matters.
    static func made(_ number: Int, subject: String = "ann") -> AuditEvent {
        AuditEvent(
            at: 1000 + Int64(number), subject: subject, role: "admin", address: "127.0.0.1",
            requestID: "request-\(number)",
            action: number % 2 == 0 ? "backup.create" : "backup.list",
            resource: number % 3 == 0 ? nil : "snapshot-\(number)", outcome: .succeeded,
            status: 202, details: "{\"number\":\(number)}")
    }
}

extension StateStore {
    /// Brings a job from PENDING to a status that it may end in.
    func end(_ id: String, as status: JobStatus, at instant: Int64) async throws {
        if status != .canceled {
            try await updateJob(id, JobUpdate(status: .inProgress), at: instant - 1)
        }
        try await updateJob(id, JobUpdate(status: status), at: instant)
    }

    /// Every page of a list of jobs.
    func allPages(_ filter: JobFilter = JobFilter(), limit: Int) async throws -> [JobRecord] {
        var jobs: [JobRecord] = []
        var cursor: String?
        repeat {
            let page = try await self.jobs(filter, after: cursor, limit: limit)
            jobs += page.jobs
            cursor = page.nextCursor
        } while cursor != nil
        return jobs
    }
}
