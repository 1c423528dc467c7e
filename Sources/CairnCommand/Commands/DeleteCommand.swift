internal import ArgumentParser
internal import SnapshotJSON
internal import Snapshots

/// `cairn delete`.
struct DeleteCommand: Job {
    static let configuration = CommandConfiguration(
        commandName: "delete",
        abstract: "Remove snapshots for good.",
        usage: "cairn delete <id> ... [--force] [<options>]",
        discussion: """
            The newest snapshot that was verified, or the newest whole one where none was, is only \
            removed with --force. One that a job uses is not removed at all. Of several that are \
            named, each that can't be removed is told, and the others are removed.

            Examples:
              cairn delete 20261123T084512Z-manual-3f9a1c
              cairn delete 20261101 20261102T10 --json
            """)

    /// The snapshots.
    @Argument(
        help: ArgumentHelp(
            "A snapshot's identifier, a beginning of it that fits only one, or \"latest\".",
            valueName: "id"))
    var ids: [String]

    /// Whether the last good one goes, too.
    @Flag(help: "Also remove the newest snapshot that is known to be whole.")
    var force = false

    @OptionGroup var repository: RepositoryOptions
    @OptionGroup var lock: LockOptions
    @OptionGroup var output: OutputOptions

    var cancellationMessage: String { "cancelled; what was removed until then is gone" }

    func perform(_ observer: any JobObserver) async throws -> JobResult {
        let repository = try await repository.open(create: false)
        let catalog = SnapshotCatalog(repository.store)
        var found: [SnapshotID] = []
        // All are understood before the first is removed.
        for name in ids {
            let id = try await catalog.id(for: name)
            if !found.contains(id) { found.append(id) }
        }
        let removal = SnapshotRemoval(catalog, locks: repository.locks, observer: observer)
        var removed: [SnapshotRemoval.Report] = []
        var failures: [(id: SnapshotID, failure: Failure)] = []
        for id in found {
            do {
                removed.append(
                    try await removal.run(id, isForced: force, waitSeconds: lock.seconds))
            } catch let error as SnapshotError {
                failures.append((id, Failure(error)))
            }
        }
        if let first = failures.first, removed.isEmpty, failures.count == 1 { throw first.failure }
        return result(removed, failures)
    }

    private func result(
        _ removed: [SnapshotRemoval.Report], _ failures: [(id: SnapshotID, failure: Failure)]
    ) -> JobResult {
        let lines =
            removed.map { "removed \($0.id), \(Formatting.bytes($0.freedByteCount))" }
            + failures.map { "kept \($0.id): \(Formatting.visible($0.failure.message))" }
        var result = JobResult(
            text: lines.joined(separator: "\n"),
            json: .object([
                "removed": .array(removed.map { JSONValue($0) }),
                "failed": .array(
                    failures.map { id, failure in
                        .object([
                            "id": .string(id.description), "code": .string(failure.code),
                            "error": .string(failure.message),
                        ])
                    }),
            ]))
        if !failures.isEmpty {
            result.status = .skipped
            result.warning =
                "\(Formatting.count(UInt64(failures.count), "snapshot")) could not be removed"
        }
        return result
    }
}
