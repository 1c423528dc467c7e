internal import MongoDriver

/// How a backup comes to be of one instant, and what it does when that fails.
extension Backup {
    /// What is asked for.
    public enum Consistency: String, Sendable, CaseIterable {
        /// A snapshot where a server has history; where the history turns out too short, an oplog
        /// window. A standalone server has neither.
        case auto
        /// A snapshot, or an error.
        case snapshot
        /// An oplog window, or an error.
        case oplog
        /// Each collection as its cursor finds it.
        case none
    }

    /// What one try aims at.
    enum Level: Hashable, Sendable {
        case snapshot
        case oplog
        case none
    }

    /// How often a backup starts over because collections changed under it.
    private static let attemptCountMax = 3
    /// What a server says when the collection under a cursor is dropped or renamed.
    static let queryPlanKilled = 175
    /// What it says when a capped collection has overwritten what the cursor is at.
    static let cappedPositionLost = 136

    /// A try, and whether another one may aim lower.
    struct Attempt {
        var level: Level
        var mayFallBack = false
        /// How many with the same aim, this one included.
        var count = 1
    }

    /// What the first try aims at.
    ///
    /// - Throws: `usage` for an oplog with a selection; `unsupported` for what the server has not.
    func firstAttempt() async throws -> Attempt {
        let role = try await pool.withConnection { try await $0.serverInfo().role }
        switch options.consistency {
        case .none: return Attempt(level: .none)
        case .auto where role == .standalone: return Attempt(level: .none)
        case .auto:
            guard options.filter.isEverything, role == .replicaSetMember else {
                return Attempt(level: .snapshot)
            }
            guard let reason = try await reasonForOplog() else {
                return Attempt(
                    level: .snapshot, mayFallBack: try await mayFallBackToOplog())
            }
            observer.noticed("\(reason); the oplog of the backup's time is taken with it instead")
            return Attempt(level: .oplog)
        case .snapshot:
            guard role != .standalone else {
                throw SnapshotError(
                    .unsupported,
                    "a standalone server has no history: --consistency snapshot needs a replica "
                        + "set; use auto or none")
            }
            return Attempt(level: .snapshot)
        case .oplog:
            guard options.filter.isEverything else {
                throw SnapshotError(
                    .usage,
                    "an oplog is of the whole server: --consistency oplog is not for --db, "
                        + "--ns-include or --ns-exclude")
            }
            guard role == .replicaSetMember else {
                throw SnapshotError(
                    .unsupported,
                    "only members of a replica set have an oplog of all changes, which "
                        + "--consistency oplog needs; use auto, snapshot or none")
            }
            return Attempt(level: .oplog)
        }
    }

    /// The next try.
    ///
    /// - Throws: `error` when there is none.
    func attempt(after error: any Error, in attempt: Attempt) throws -> Attempt {
        if case .pipe = destination { throw error }
        let isTooOld = (error as? MongoError)?.code == .snapshotTooOld
        guard isTooOld || isChange(error) else { throw error }
        if !isTooOld, attempt.count < Self.attemptCountMax {
            observer.noticed("the backup can't be completed as it was; starting over: \(error)")
            var next = attempt
            next.count += 1
            return next
        }
        guard attempt.mayFallBack else { throw error }
        observer.noticed(
            "the snapshot was lost; starting over, and the oplog of that time is taken too: "
                + "\(error)")
        return Attempt(level: .oplog)
    }

    private func isChange(_ error: any Error) -> Bool {
        switch error {
        case let error as SnapshotError: return error.code == .catalogChanged
        case let error as MongoError:
            return error.code == .snapshotUnavailable
                || error.serverCode == Self.queryPlanKilled
                || error.serverCode == Self.cappedPositionLost
        default: return false
        }
    }

    /// Why no snapshot can last, where that is certain beforehand; else nil, and the server will
    /// say so when it is too late.
    private func reasonForOplog() async throws -> String? {
        try await pool.withConnection { connection in
            guard let seconds = try await connection.snapshotHistorySeconds() else { return nil }
            if seconds == 0 { return "the server keeps no history" }
            guard let rate = options.rateLimiter?.limit.bytesPerSecond else { return nil }
            guard let byteCount = try await connection.documentByteCount() else { return nil }
            guard byteCount / rate > seconds else { return nil }
            return "at that rate the backup takes longer than the server keeps history "
                + "(\(seconds) s)"
        }
    }
}

extension MongoConnection {
    /// Bytes of all documents of the server; nil for a user who may not know.
    fileprivate nonisolated func documentByteCount() async throws -> Int? {
        do {
            var byteCount = 0
            for database in try await databaseNames() where database != "local" {
                byteCount += try await documentByteCount(of: database)
            }
            return byteCount
        } catch let error as MongoError where error.code == .unauthorized {
            return nil
        }
    }
}
