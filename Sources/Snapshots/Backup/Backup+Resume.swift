internal import ArchiveEngine
internal import ArchiveFormat
internal import BSONBytes
internal import MongoDriver
internal import ObjectStorage

/// Going on with what a killed backup has left.
extension Backup {
    /// The newest one that was asked for the same; nil when there is none.
    func findUnfinished() async throws -> UnfinishedBackup? {
        let server = try await pool.withConnection { try await $0.serverInfo() }
        var found: (UnfinishedUpload, BackupDraft)?
        for upload in try await destination.unfinishedUploads() {
            guard let draft = try? BackupDraft(bytes: upload.note), draft.fits(options),
                draft.manifest.source.serverVersion == server.versionString,
                draft.manifest.source.replicaSet == server.setName,
                Self.isBetter((upload, draft), than: found)
            else { continue }
            found = (upload, draft)
        }
        guard let (upload, draft) = found,
            let unfinished = try await UnfinishedBackup(
                upload, draft, host: hostRead(server), options)
        else {
            observer.noticed("there is nothing to resume; starting from the beginning")
            return nil
        }
        let documentCount = unfinished.kept.reduce(0) { $0 + Int($1.chunk.header.documentCount) }
        observer.noticed(
            "resuming \(draft.manifest.id), which was interrupted; documents kept: "
                + "\(documentCount)")
        return unfinished
    }

    /// The newest; of one that was resumed and killed again, the part that is larger.
    private static func isBetter(
        _ new: (UnfinishedUpload, BackupDraft), than old: (UnfinishedUpload, BackupDraft)?
    ) -> Bool {
        guard let old else { return true }
        return (new.1.manifest.id, new.0.reader.byteCount)
            > (old.1.manifest.id, old.0.reader.byteCount)
    }

    /// How often it goes on after an outage that cut off what can't be repeated on the spot.
    private static let interruptionCountMax = 10

    /// Whether the server was away during something that can't be repeated on the spot.
    func isInterruption(_ error: any Error) -> Bool {
        switch error {
        case let error as SnapshotError: return error.code == .interrupted
        case let error as MongoError: return error.mayPass
        default: return false
        }
    }

    func canResume(after interruptionCount: Int) -> Bool {
        if case .pipe = destination { return false }
        return options.enduranceSeconds > 0 && !endurance.isExhausted
            && interruptionCount < Self.interruptionCountMax
    }

    /// - Returns: the same error.
    func tellingOfResumption(_ error: any Error) -> any Error {
        if case .pipe = destination { return error }
        observer.noticed(
            "what was read so far stays; run it again with --resume to go on, or without to begin "
                + "anew")
        return error
    }

    /// The server that is read, where that is certain.
    func hostRead(_ server: ServerInfo) -> String? {
        pool.uri.readsPrimary ? server.host : nil
    }

    /// Whether an error says that what was begun can't be completed: history, collections or the
    /// oplog have gone on.
    func isOutOfDate(_ error: any Error) -> Bool {
        switch error {
        case let error as SnapshotError:
            return [.catalogChanged, .oplogOverflow].contains(error.code)
        case let error as MongoError:
            return [.snapshotTooOld, .snapshotUnavailable].contains(error.code)
        default: return false
        }
    }

    /// That a collection of which one part was read before and the rest now is whole.
    ///
    /// - Throws: `catalogChanged`.
    func checkCount(_ stream: BackupPlan.Stream, _ documentCount: UInt64) async throws {
        guard let request = stream.request else { return }
        let count = try await endurance.run { _ in
            try await pool.withConnection { try await $0.count(request) }
        }
        guard count == Int64(clamping: documentCount) else {
            throw SnapshotError(
                .catalogChanged,
                "\(stream.descriptor.namespace) has \(count) documents, and \(documentCount) were "
                    + "read in two parts")
        }
    }
}
