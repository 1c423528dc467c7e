internal import ArgumentParser
internal import SnapshotJSON
internal import Snapshots

/// `cairn prune`.
struct PruneCommand: Job {
    static let configuration = CommandConfiguration(
        commandName: "prune",
        abstract: "Remove the snapshots that are no longer wanted.",
        usage: "cairn prune [--dry-run] [<options>]",
        discussion: """
            A snapshot goes when it is older than --keep-days or beyond the newest --max-count, \
            unless one of the other rules keeps it. Whatever the rules, these stay: the newest \
            snapshot that was verified, or the newest whole one where none was; those that a job \
            uses; and damaged ones, which a person should look at. Backups of what restores \
            replaced are counted by themselves. 0 switches a rule off. With \
            --dry-run nothing is removed: it tells which would be, and why.

            Examples:
              cairn prune --dry-run
              cairn prune --keep-days 14 --max-count 100
              cairn prune --max-count 7 --keep-weekly 8 --keep-monthly 12
            """)

    /// The oldest that stays.
    @Option(
        help: ArgumentHelp("Remove snapshots older than n days.", valueName: "count"))
    var keepDays = 30

    /// How many stay.
    @Option(
        help: ArgumentHelp("Remove all but the n newest snapshots.", valueName: "count"))
    var maxCount = 30

    /// How many of the last.
    @Option(help: ArgumentHelp("Keep the n newest snapshots.", valueName: "count"))
    var keepLast = 0

    /// How many days.
    @Option(
        help: ArgumentHelp(
            "Keep the newest snapshot of each of the last n days (UTC) that have one.",
            valueName: "count"))
    var keepDaily = 0

    /// How many weeks.
    @Option(
        help: ArgumentHelp("The same of weeks, which begin on Monday.", valueName: "count"))
    var keepWeekly = 0

    /// How many months.
    @Option(help: ArgumentHelp("The same of months.", valueName: "count"))
    var keepMonthly = 0

    /// Whether it only tells.
    @Flag(help: "Remove nothing; report what would be removed and why.")
    var dryRun = false

    @OptionGroup var repository: RepositoryOptions
    @OptionGroup var lock: LockOptions
    @OptionGroup var output: OutputOptions

    var cancellationMessage: String { "cancelled; what was removed until then is gone" }

    var isItsOutput: Bool { dryRun }

    func perform(_ observer: any JobObserver) async throws -> JobResult {
        let policy = try policy()
        let repository = try await repository.open(create: false)
        let retention = Retention(
            SnapshotCatalog(repository.store), policy, locks: repository.locks,
            environment: .system, observer: observer)
        let report = try await retention.run(isDryRun: dryRun, waitSeconds: lock.seconds)
        return PruneSummary(report: report).result
    }

    private func policy() throws -> RetentionPolicy {
        func number(_ value: Int, _ option: String) throws -> Int? {
            guard (0...RetentionPolicy.numberMax).contains(value) else {
                throw Failure.usage("\(option) is a number from 0 to \(RetentionPolicy.numberMax)")
            }
            return value == 0 ? nil : value
        }
        var policy = RetentionPolicy()
        policy.maxAgeDays = try number(keepDays, "--keep-days")
        policy.maxCount = try number(maxCount, "--max-count")
        policy.keepLast = try number(keepLast, "--keep-last")
        policy.keepDaily = try number(keepDaily, "--keep-daily")
        policy.keepWeekly = try number(keepWeekly, "--keep-weekly")
        policy.keepMonthly = try number(keepMonthly, "--keep-monthly")
        return policy
    }
}
