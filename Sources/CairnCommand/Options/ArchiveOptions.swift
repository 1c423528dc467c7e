internal import ArgumentParser
internal import ObjectStorage
internal import Snapshots
internal import StandardStreams

/// Which archive a command reads: a snapshot of a repository, or a file outside of any.
struct ArchiveOptions: ParsableArguments, Sendable {
    /// The snapshot.
    @Argument(
        help: ArgumentHelp(
            "The snapshot's identifier, a beginning of it that fits only one, or \"latest\".",
            valueName: "id"))
    var id: String?

    /// A file's path, or a dash.
    @Option(
        help: ArgumentHelp(
            "A file outside of any repository, also one of mongodump's, a folder that mongodump "
                + "wrote, or one .bson file of it; - is standard input.",
            valueName: "file"))
    var archive: String?

    /// Where the snapshot is.
    @OptionGroup var repository: RepositoryOptions

    /// An archive that was found.
    struct Located: Sendable {
        let location: ArchiveLocation
        /// What messages call it.
        let name: String
        /// Absolute path of its file; nil for a pipe.
        let path: String?
        /// Where it is a snapshot of; nil for what is outside of any repository.
        var repository: RepositoryOptions.Repository?
        /// Its identifier there.
        var snapshot: SnapshotID?
    }

    /// Finds the archive.
    ///
    /// - Throws: `Failure`, `SnapshotError`, `ObjectStorageError`.
    func locate() async throws -> Located {
        switch (id, archive) {
        case (_?, _?): throw Failure.usage("give the ID of a snapshot or --archive, not both")
        case (nil, nil):
            throw Failure.usage(
                "no snapshot was named; give an ID, \"latest\" or --archive FILE "
                    + "(\"cairn list\" shows the IDs)")
        case (let id?, nil): return try await locate(snapshot: id)
        case (nil, let file?):
            guard repository.repository == nil || file == "-" else { throw Self.bothPlaces }
            return try Self.located(file: file)
        }
    }

    /// Divides what stands on the command line without an option: with --archive all of it are
    /// names, else the first is the snapshot's identifier.
    ///
    /// - Parameters:
    ///   - names: what follows the first argument, which is `id`.
    ///   - count: how many names are wanted.
    ///   - wanted: what they are called in the message.
    /// - Throws: `Failure` with `usage`.
    func divided(
        _ names: [String], count: Int, _ wanted: String
    ) throws -> (ArchiveOptions, [String]) {
        var source = self
        var names = names
        if archive != nil, let first = id {
            names.insert(first, at: 0)
            source.id = nil
        }
        guard names.count == count else { throw Failure.usage("give \(wanted)") }
        return (source, names)
    }

    /// A file outside of any repository, or standard input.
    ///
    /// - Throws: `Failure` with `usage`.
    static func located(file: String) throws -> Located {
        guard file == "-" else {
            let path = RepositoryOptions.absolutePath(file)
            return Located(location: .file(path), name: path, path: path)
        }
        guard !Console.isTerminal(Console.input) else {
            throw Failure.usage(
                "standard input is a terminal, where no archive comes from; write "
                    + "cairn … - < FILE")
        }
        guard StandardStream.input.isUsable else {
            throw Failure(
                .failed, "input_failed",
                "standard input is closed, or not open for reading; nothing was done")
        }
        let pipe = PipeStream(descriptor: Console.input, name: "standard input")
        return Located(location: .pipe(pipe), name: "standard input", path: nil)
    }

    /// What a command that got both is told.
    static let bothPlaces = Failure.usage(
        "give --repository or --archive, not both: an archive is outside of any repository")

    private func locate(snapshot id: String) async throws -> Located {
        let repository = try await repository.open(create: false)
        let catalog = SnapshotCatalog(repository.store)
        let key = try await catalog.key(for: id)
        let path = repository.path(ofKey: key)
        return Located(
            location: .snapshot(key, in: catalog), name: path, path: path,
            repository: repository, snapshot: try await catalog.id(for: key))
    }
}

extension ArchiveOptions.Located {
    /// The same, as what it is when its file is a snapshot's in a repository's folder.
    ///
    /// - Throws: `ObjectStorageError`.
    func inRepository() async throws -> ArchiveOptions.Located {
        guard snapshot == nil, let path, let slash = path.lastIndex(of: "/") else { return self }
        let name = path[path.index(after: slash)...]
        guard name.contains(".archive."), let id = SnapshotID(name.prefix { $0 != "." }) else {
            return self
        }
        let folder = slash == path.startIndex ? "/" : String(path[..<slash])
        var located = self
        do {
            located.repository = RepositoryOptions.Repository(
                store: try await FileSystemStore(folder: folder, create: false), folder: folder)
        } catch let error as ObjectStorageError where error.code == .notFound {
            // Opening the file tells what is missing.
            return self
        }
        located.snapshot = id
        return located
    }
}
