internal import ArchiveFormat

/// Which files of a dump hold what, told by their names alone.
struct DumpLayout: Sendable {
    /// A file, and how it begins.
    struct File: Hashable, Sendable {
        var path: [String]
        var byteCount: UInt64

        /// For messages.
        var description: String { path.joined(separator: "/") }
    }

    /// The files of a database by their stems.
    struct Database: Sendable {
        var name: String
        var documents: [String: File] = [:]
        var metadata: [String: File] = [:]
        /// Where servers of old kept all indexes of the database.
        var indexes: File?
    }

    var databases: [Database] = []
    var oplog: File?
    var prelude: File?
    /// What is there and was not taken, one sentence each.
    private(set) var notes: [String] = []
    private var uncountedNoteCount = 0

    /// Looks into a folder.
    ///
    /// - Throws: `notAnArchive` when there is no dump, `malformed` for files that contradict each
    ///   other or can't be read, and what `files` throws.
    init(_ target: DumpTarget, _ files: any DumpFiles) async throws {
        let top = try await files.entries(of: [])
        switch target {
        case .folder(let name): try await takeFolder(name, top, files)
        case .file(let name, let database): try takeFile(name, database, top)
        }
        if uncountedNoteCount > 0 { notes.append("and ignored \(uncountedNoteCount) others") }
    }

    private mutating func takeFolder(
        _ name: String, _ top: [DumpEntry], _ files: any DumpFiles
    ) async throws {
        var folders: [(name: String, entries: [DumpEntry])] = []
        for entry in top where !Self.isHidden(entry) {
            guard entry.kind != .loop else { throw Self.loop([entry.name]) }
            guard entry.kind == .folder else { continue }
            let entries = try await files.entries(of: [entry.name])
            if entries.contains(where: Self.isOfDump) {
                folders.append((entry.name, entries))
            } else {
                ignore([entry.name], "a folder without files of mongodump's")
            }
        }
        let own = top.filter { Self.isOfDump($0) && !Self.isOplog($0) }
        if folders.isEmpty, !own.isEmpty { return try takeDatabase(name, [], top) }
        for entry in top where entry.kind != .folder { try takeTopFile(entry) }
        for folder in folders { try takeDatabase(folder.name, [folder.name], folder.entries) }
        guard !databases.isEmpty || oplog != nil || prelude != nil else {
            throw Self.noDump(top)
        }
    }

    /// Beside the folders of databases.
    private mutating func takeTopFile(_ entry: DumpEntry) throws {
        if Self.isPrelude(entry) { return prelude = try file([], entry) }
        if Self.isOplog(entry) {
            if let oplog { throw Self.twice(oplog, [entry.name]) }
            return oplog = try file([], entry)
        }
        ignore([entry.name], "not in the folder of a database")
    }

    private mutating func takeDatabase(
        _ name: String, _ folder: [String], _ entries: [DumpEntry]
    ) throws {
        var database = Database(name: name)
        for entry in entries {
            let path = folder + [entry.name]
            if Self.isPrelude(entry) {
                prelude = try prelude ?? file(folder, entry)
                continue
            }
            guard entry.kind != .folder else {
                ignore(path, "a folder in that of a database")
                continue
            }
            guard let fileName = MongodumpFileName(entry.name) else {
                ignore(path, "not one of mongodump's files")
                continue
            }
            try Self.add(try file(folder, entry), fileName, to: &database)
        }
        try finish(&database)
        databases.append(database)
    }

    private static func add(
        _ file: File, _ name: MongodumpFileName, to database: inout Database
    ) throws {
        let other =
            switch name.content {
            case .documents: database.documents.updateValue(file, forKey: name.stem)
            case .metadata: database.metadata.updateValue(file, forKey: name.stem)
            }
        if let other { throw twice(other, file.path) }
    }

    /// Old servers kept indexes in a collection of their own, which counts where nothing else
    /// states them.
    private func finish(_ database: inout Database) throws {
        let indexes = database.documents.removeValue(forKey: "system.indexes")
        database.indexes = database.metadata.isEmpty ? indexes : nil
    }

    /// One file of documents and what belongs to it.
    private mutating func takeFile(
        _ name: String, _ database: String, _ top: [DumpEntry]
    ) throws {
        guard let own = MongodumpFileName(name),
            let entry = top.first(where: { $0.name == name })
        else {
            throw ArchiveError(.notAnArchive, "\(name) is not named like a file of documents")
        }
        var found = Database(name: database)
        try Self.add(try file([], entry), own, to: &found)
        let buckets = DumpNames.bucketsPrefix
        let logical = own.stem.hasPrefix(buckets) ? String(own.stem.dropFirst(buckets.count)) : nil
        for entry in top where entry.kind == .file {
            if Self.isPrelude(entry) { prelude = try file([], entry) }
            guard let other = MongodumpFileName(entry.name), other.content == .metadata,
                other.stem == own.stem || other.stem == logical
            else { continue }
            try Self.add(try file([], entry), other, to: &found)
        }
        if found.metadata.isEmpty,
            let entry = top.first(where: { $0.name == "system.indexes.bson" })
        {
            found.indexes = try file([], entry)
        }
        databases = [found]
    }

    // MARK: Names

    private static func isHidden(_ entry: DumpEntry) -> Bool { entry.name.hasPrefix(".") }

    private static func isOfDump(_ entry: DumpEntry) -> Bool {
        entry.kind != .folder && MongodumpFileName(entry.name) != nil
    }

    private static func isOplog(_ entry: DumpEntry) -> Bool {
        guard entry.kind != .folder, let name = MongodumpFileName(entry.name) else { return false }
        return name.stem == "oplog" && name.content == .documents
    }

    private static func isPrelude(_ entry: DumpEntry) -> Bool {
        entry.kind != .folder && ["prelude.json", "prelude.json.gz"].contains(entry.name)
    }

    /// - Throws: `malformed` for what is named like a file of a dump and can't be read.
    private func file(_ folder: [String], _ entry: DumpEntry) throws -> File {
        let file = File(path: folder + [entry.name], byteCount: entry.byteCount)
        switch entry.kind {
        case .file: return file
        case .loop: throw Self.loop(file.path)
        case .folder: throw ArchiveError(.malformed, "\(file.description) is a folder, not a file")
        case .unusable(let reason):
            throw ArchiveError(.malformed, "\(file.description) can't be read: \(reason)")
        }
    }

    // MARK: What is told

    private mutating func ignore(_ path: [String], _ reason: String) {
        guard notes.count < DumpLimits.noteCountMax else {
            uncountedNoteCount += 1
            return
        }
        notes.append("ignored \(path.joined(separator: "/")): \(reason)")
    }

    private static func loop(_ path: [String]) -> ArchiveError {
        ArchiveError(
            .malformed,
            "\(path.joined(separator: "/")) is a symbolic link to a folder that it is in")
    }

    static func twice(_ one: File, _ other: [String]) -> ArchiveError {
        ArchiveError(
            .malformed,
            "\(one.description) and \(other.joined(separator: "/")) are both of the same "
                + "collection; remove the one that is not meant")
    }

    private static func noDump(_ top: [DumpEntry]) -> ArchiveError {
        let archive = top.first { ["archive", "archive.gz"].contains($0.name) }
        let hint = archive.map { "; is \($0.name) in it the archive?" } ?? ""
        return ArchiveError(
            .notAnArchive,
            "the folder holds no dump: neither .bson files nor folders with .bson files" + hint)
    }
}
