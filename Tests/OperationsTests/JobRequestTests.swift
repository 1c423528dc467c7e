import Snapshots
import Testing

@testable import Operations

@Suite struct JobRequestTests {
    static let requests: [JobRequest] = {
        var restore = RestoreRequest(snapshot: "20261124T084512Z-manual-3f9a1c", mode: .replace)
        restore.nsInclude = ["shop.*"]
        restore.rename = [RestoreRequest.Rename(from: "shop.*", to: "copy.*")]
        restore.inPlace = true
        restore.noIndexes = true
        restore.convertLegacyIndexes = true
        var backup = BackupRequest()
        backup.databases = ["shop"]
        backup.nsExclude = ["shop.cache*"]
        var cleanup = CleanupRequest()
        cleanup.keepDays = 7
        return [
            .backup(backup), .restore(restore), .verify(VerifyRequest(snapshot: "a")),
            .diff(DiffRequest(snapshot: "a", other: "b")), .cleanup(cleanup),
            .scheduledBackup(
                ScheduledBackupRequest(backup: backup, retention: cleanup, verifies: true)),
            .restore(RestoreRequest(snapshot: "a", mode: .preview)),
        ]
    }()

    /// Clients know fields and endpoints, not the command line's options.
    @Test(arguments: [
        (
            "nothing fits; check --db and --ns-include",
            "nothing fits; check databases and ns_include"
        ),
        (
            "there is no snapshot; \"cairn list\" shows those",
            "there is no snapshot; GET /backup/list shows those"
        ),
        ("what was loaded stays", "what was loaded stays"),
    ])
    func adviceIsInTheServicesWords(_ message: String, _ told: String) {
        #expect(ServiceWords.inFields(message) == told)
    }

    @Test func whatWasReadIsStillToldWhenItIsPublished() throws {
        let log = JobProgressLog(RecordedLog(), job: "j")
        var progress = JobProgress(phase: .reading, byteCountTotal: 100)
        progress.documentCount = 7
        progress.byteCount = 100
        log.progressed(progress)
        log.progressed(JobProgress(phase: .publishing))
        let text = try #require(log.take().progress)
        #expect(text.contains("\"phase\":\"publishing\"") && text.contains("\"documents\":7"))
        #expect(text.contains("\"share\":1.000"))
        #expect(log.take().progress == nil)
    }

    @Test(arguments: requests)
    func aRecordGivesBackTheRequest(_ request: JobRequest) throws {
        #expect(try JobRequest(text: try request.text) == request)
        #expect(JobRequest.kinds.contains(request.kind))
    }

    @Test func allThatCannotBeOfABackupIsToldAtOnce() throws {
        var request = BackupRequest()
        request.backupType = "Not A Word"
        request.databases = ["a.b"]
        request.nsExclude = ["nodot"]
        request.level = 99
        #expect(
            fields(.backup(request)) == ["databases/0", "ns_exclude/0", "level", "backup_type"])
    }

    @Test func optionsOfOneModeAreRefusedInAnother() throws {
        var request = RestoreRequest(snapshot: "a", mode: .merge)
        request.inPlace = true
        request.preRestoreBackup = true
        request.samples = 3
        #expect(fields(.restore(request)) == ["in_place", "pre_restore_backup", "samples"])
        request = RestoreRequest(snapshot: "a", mode: .replace)
        request.onConflict = "keep"
        request.rename = [RestoreRequest.Rename(from: "shop.*", to: "copy")]
        #expect(fields(.restore(request)) == ["rename/0", "on_conflict"])
    }

    private func fields(_ request: JobRequest) -> [String] {
        do {
            try request.validate()
            return []
        } catch let error as RequestErrors {
            return error.errors.map(\.field)
        } catch {
            return ["\(error)"]
        }
    }
}
