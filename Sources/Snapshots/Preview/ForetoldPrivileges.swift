internal import ArchiveEngine
internal import ArchiveFormat
internal import BSONBytes
internal import MongoDriver

/// Foretells which privileges a user lacks for a restore, by the plan that the restore would make.
struct ForetoldPrivileges {
    let archive: IndexedArchiveReader
    /// What is selected, under which names; each way to restore is planned.
    let options: Restore.Options
    let facts: RestoreFacts
    let user: UserPrivileges
    let pool: MongoPool

    /// - Returns: each refusal with the ways that it stands in; none for ways that can't be
    ///   planned, which other checks refuse.
    func refusals() throws -> [ForetoldRefusal] {
        try ForetoldRefusal.all { way in try refusal(way).map { [$0] } ?? [] }
    }

    private func refusal(_ way: RestoreWay) throws -> Refusal? {
        let observer = NoObserver()
        let environment = JobEnvironment.system
        var options = options
        options.mode = way.mode
        options.isInPlace = way == .inPlace
        var context = RestoreContext(
            pool: pool, server: facts.server, observer: observer,
            batchDocumentCount: options.batchDocumentCount,
            pacer: WritePacer(limiter: nil, observer: observer),
            endurance: Endurance(seconds: 0, observer: observer),
            continuity: Continuity(BSONDocument()), rules: facts.rules, privileges: user)
        if way == .keepOld {
            context.keeping = Keeping(job: JobID(kind: "restore", environment), expiry: 0)
        }
        let oplog = RestorePlan.oplog(archive, options, context)
        do {
            let choices = try RestorePlan.choose(
                archive, options, facts.server, observer, isReplayed: oplog != nil)
            try RestorePlan(choices, facts.live, archive.chunks, oplog: oplog, options, context)
                .checkPrivileges(user)
            return nil
        } catch let error as SnapshotError {
            // What a user lacks for the replay of an oplog alone.
            return error.code == .unsupported ? Refusal(error.code, nil, error.message) : nil
        } catch let error as MongoError where error.code == .unauthorized {
            return Refusal(.unauthorized, nil, error.message)
        }
    }
}

extension SnapshotError.Code {
    /// What a restore fails with as a `MongoError`.
    fileprivate static let unauthorized = Self(rawValue: MongoError.Code.unauthorized.rawValue)
}

/// Of a restore that is only planned.
private struct NoObserver: JobObserver {
    func progressed(_ progress: JobProgress) {}
    func noticed(_ message: String) {}
}
