internal import ArgumentParser
internal import Snapshots

/// `cairn verify`.
struct VerifyCommand: Job {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Read a whole archive and check every hash, count and checksum.",
        usage: "cairn verify (<id> | --archive <file>) [<options>]",
        discussion: """
            No server is needed. The exit code is 0 only when every byte is as it was written. \
            What came of it is kept beside a snapshot of a repository, where list and stats find \
            it, and prune never removes the newest one that was found to be whole.

            Examples:
              cairn verify latest
              cairn verify --archive shop.archive.gz
            """)

    @OptionGroup var source: ArchiveOptions
    @OptionGroup var width: WidthOptions
    @OptionGroup var lock: LockOptions
    @OptionGroup var config: ConfigurationOptions
    @OptionGroup var output: OutputOptions

    func perform(_ observer: any JobObserver) async throws -> JobResult {
        let width = try width.resolved(try await config.load())
        let archive = try await source.locate()
        return try await naming(archive.name) {
            let report = try await lock.using(archive, as: .verify, observer) {
                try await SnapshotVerification(
                    archive.location, width: width, environment: .system, observer: observer
                ).run()
            }
            return VerifySummary(report: report, archive: archive).result
        }
    }
}
