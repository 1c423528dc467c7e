internal import ArgumentParser
internal import SnapshotJSON
internal import Snapshots

/// `cairn stats`.
struct StatsCommand: Job {
    static let configuration = CommandConfiguration(
        commandName: "stats",
        abstract: "Tell what a repository holds, how it grows and how it was last checked.",
        usage: "cairn stats [<options>]",
        discussion: """
            The growth is that of stored bytes of backups of the last 30 days; what was removed \
            meanwhile does not count.

            Examples:
              cairn stats
              cairn stats --json | jq .last_verified
            """)

    @OptionGroup var repository: RepositoryOptions
    @OptionGroup var output: OutputOptions

    var isItsOutput: Bool { true }

    func perform(_ observer: any JobObserver) async throws -> JobResult {
        let repository = try await repository.open(create: false)
        let statistics = try await RepositoryStatistics(
            SnapshotCatalog(repository.store), now: JobEnvironment.system.now())
        return StatsSummary(statistics: statistics, folder: repository.folder).result
    }
}
