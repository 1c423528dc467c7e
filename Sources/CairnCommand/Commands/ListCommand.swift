internal import ArgumentParser
internal import Snapshots

/// `cairn list`.
struct ListCommand: Job {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the snapshots of a repository, oldest first.",
        discussion: """
            A snapshot whose file is damaged is listed and marked, not left out. What else is in \
            the folder, such as symbolic links, is named after them; in JSON before them, with \
            "ignored".

            Examples:
              cairn list
              cairn list --json | jq -r '.[-1].id'
            """)

    @OptionGroup var repository: RepositoryOptions
    @OptionGroup var output: OutputOptions

    var isItsOutput: Bool { true }

    func perform(_ observer: any JobObserver) async throws -> JobResult {
        let repository = try await repository.open(create: false)
        let catalog = SnapshotCatalog(repository.store)
        return ListSummary(
            entries: try await catalog.overviews(), ignored: try await catalog.ignored(),
            repository: repository
        ).result
    }
}
