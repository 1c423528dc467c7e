internal import ArchiveFormat

/// A collection of a dump and the files that it is in.
struct DumpCollection: Sendable {
    var descriptor: NamespaceDescriptor
    /// Nil when only its metadata is there: a view, or an empty collection.
    var documents: DumpLayout.File?
}

/// Finds out which collections the files of a database are of.
struct DumpNames {
    /// What the buckets of a time series are kept under.
    static let bucketsPrefix = "system.buckets."

    private let database: DumpLayout.Database
    private let serverVersion: String
    /// The metadata by the stems of their files.
    private let metadata: [String: MongodumpMetadataFile]

    init(
        _ database: DumpLayout.Database, _ metadata: [String: MongodumpMetadataFile],
        serverVersion: String
    ) {
        self.database = database
        self.metadata = metadata
        self.serverVersion = serverVersion
    }

    /// The collections, in order of their names.
    ///
    /// - Parameter tolerate: called for a file that can't be a collection's; throws the error
    ///   where it is one.
    /// - Throws: `malformed` for names and files that contradict each other.
    func collections(
        orTolerate tolerate: (ArchiveError, Namespace) throws -> Void
    ) throws -> [DumpCollection] {
        var found: [[UInt8]: DumpCollection] = [:]
        var files: [[UInt8]: DumpLayout.File] = [:]
        for (stem, file) in database.metadata.sorted(by: { $0.key < $1.key }) {
            let name = try self.name(stem, file)
            if let other = files.updateValue(file, forKey: Array(name.utf8)) {
                throw DumpLayout.twice(other, file.path)
            }
            guard let metadata = metadata[stem] else { continue }
            let namespace = Namespace(database.name, name)
            do {
                found[Array(name.utf8)] = DumpCollection(
                    descriptor: try file.locating { try metadata.descriptor(of: namespace) })
            } catch let error as ArchiveError {
                try tolerate(error, namespace)
            }
        }
        for (stem, file) in database.documents.sorted(by: { $0.key < $1.key }) {
            do {
                try add(file, try name(stem, file), to: &found)
            } catch let error as ArchiveError {
                try tolerate(error, Namespace(database.name, stem))
            }
        }
        return found.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map(\.value)
    }

    private func add(
        _ file: DumpLayout.File, _ name: String, to found: inout [[UInt8]: DumpCollection]
    ) throws {
        var key = Array(name.utf8)
        if name.hasPrefix(Self.bucketsPrefix), found[key] == nil {
            key = Array(name.utf8.dropFirst(Self.bucketsPrefix.utf8.count))
            guard found[key]?.descriptor.type == .timeseries else {
                throw ArchiveError(
                    .malformed,
                    "\(file.description) holds the buckets of a time series, and the metadata of "
                        + "that is missing: \(String(decoding: key, as: UTF8.self)).metadata.json")
            }
        }
        let namespace = Namespace(database.name, name)
        var collection =
            found[key]
            ?? DumpCollection(
                descriptor: NamespaceDescriptor(
                    namespace: namespace, type: name.hasPrefix("$") ? .special : .collection))
        if let other = collection.documents { throw DumpLayout.twice(other, file.path) }
        collection.documents = file
        collection.descriptor.dataCollection = name
        found[key] = collection
    }

    /// The name of a collection, out of that of its file, or where that is cut, out of metadata.
    private func name(_ stem: String, _ file: DumpLayout.File) throws -> String {
        let fileName = MongodumpFileName(file.path.last ?? "")
        guard let fileName else { return stem }
        guard fileName.isCut else { return try file.locating { try fileName.collection() } }
        if let name = metadata[stem]?.collectionName { return name }
        // The buckets of a time series have a longer name than its metadata.
        let candidates = metadata.values.compactMap(\.collectionName)
            .flatMap { [$0, Self.bucketsPrefix + $0] }.filter { fileName.isCut(from: $0) }
        guard let name = candidates.first, candidates.allSatisfy({ $0 == name }) else {
            throw ArchiveError(
                .malformed,
                "\(file.description) has a truncated name, and there is no metadata file with the "
                    + "full name")
        }
        return name
    }
}

extension ArchiveError {
    /// The same with the file's name in front.
    func inFile(_ file: DumpLayout.File) -> ArchiveError {
        ArchiveError(
            code, "\(file.description): \(message)", chunk: chunk, namespace: namespace,
            offset: offset)
    }
}

extension DumpLayout.File {
    /// Does something with the file's content, and puts its name in front of what is damaged.
    func locating<Result>(_ body: () throws -> Result) throws -> Result {
        do { return try body() } catch let error as ArchiveError { throw error.inFile(self) }
    }
}
