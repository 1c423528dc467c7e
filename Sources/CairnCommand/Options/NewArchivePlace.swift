internal import ArgumentParser
internal import ObjectStorage
internal import Snapshots

/// Where a new archive goes: a repository, a file outside of any, or standard output.
struct NewArchivePlace: Sendable {
    let destination: ArchiveDestination
    /// A folder of the same file system, for temporary files; nil for standard output.
    let folder: String?
    /// Nil for a place outside of any.
    let repository: RepositoryOptions.Repository?

    /// - Parameters:
    ///   - file: a path, a dash for standard output, or nil for the repository.
    ///   - option: what the file was given with, for messages.
    /// - Throws: `Failure`, `ObjectStorageError`.
    init(file: String?, option: String, _ options: RepositoryOptions) async throws {
        guard let file else {
            let repository = try await options.open(create: true)
            destination = .repository(repository.store)
            folder = repository.folder
            self.repository = repository
            return
        }
        guard options.repository == nil else {
            throw Failure.usage(
                "give --repository or \(option), not both: a file is outside of any repository")
        }
        repository = nil
        guard file == "-" else {
            let path = RepositoryOptions.absolutePath(file)
            destination = .file(path)
            folder = path.lastIndex(of: "/").map { String(path[...$0]) }
            return
        }
        guard !Console.isTerminal(Console.output) else {
            throw Failure.usage(
                "standard output is a terminal, and an archive is no text; write "
                    + "cairn … \(option) - > FILE")
        }
        destination = .pipe(PipeUpload(descriptor: Console.output, name: "standard output"))
        folder = nil
    }

    /// The absolute path of what a report calls by its key or path; nil for a pipe.
    func path(_ place: String?) -> String? {
        guard let repository else { return place }
        return place.map(repository.path(ofKey:))
    }
}
