internal import ArgumentParser
internal import Glibc
internal import ObjectStorage
internal import Snapshots

/// Which repository a command is about.
struct RepositoryOptions: ParsableArguments, Sendable {
    /// A folder.
    @Option(
        help: ArgumentHelp(
            "Folder of the repository; else CAIRN_REPOSITORY.", valueName: "folder"))
    var repository: String?

    /// An open repository and where it is.
    struct Repository: Sendable {
        let store: FileSystemStore
        /// Absolute.
        let folder: String

        /// Its locks.
        var locks: RepositoryLocks { RepositoryLocks(store, environment: .system) }

        /// Absolute path of an object's file.
        func path(ofKey key: String) -> String { folder == "/" ? "/\(key)" : "\(folder)/\(key)" }
    }

    /// Opens the repository; `create` makes the folder, and those above it, when it is missing.
    ///
    /// - Throws: `Failure`: `usage` when none is named, `noRepository`; `ObjectStorageError`.
    func open(create: Bool) async throws -> Repository {
        guard let named = repository ?? ProcessEnvironment["CAIRN_REPOSITORY"], !named.isEmpty
        else {
            throw Failure.usage(
                "no repository was named; give --repository FOLDER or set CAIRN_REPOSITORY")
        }
        let folder = Self.absolutePath(named)
        do {
            let store = try await FileSystemStore(folder: folder, create: create)
            return Repository(store: store, folder: folder)
        } catch let error as ObjectStorageError where !create && error.code == .notFound {
            throw Failure(
                .noRepository, SnapshotError.Code.noRepository.rawValue,
                "there is no repository at \(folder); check --repository, or make one with "
                    + "\"cairn backup\"")
        }
    }

    /// The path from the root, without `.` and repeated slashes; symbolic links stay.
    static func absolutePath(_ path: String) -> String {
        var whole = path
        if !path.hasPrefix("/"), let current = getcwd(nil, 0) {
            whole = String(cString: current) + "/" + path
            free(current)
        }
        return "/" + whole.split(separator: "/").filter { $0 != "." }.joined(separator: "/")
    }
}
