internal import ArchiveFormat
internal import BSONBytes

/// Reads what a dump says beside its documents.
struct DumpCatalog {
    private(set) var serverVersion = "unknown"
    private(set) var toolVersion = "unknown"
    private let files: any DumpFiles
    private let tolerating: (@Sendable (ArchiveError) -> Void)?
    private var textByteCount = 0

    /// - Parameter tolerating: is told of what can't be read; nil when that is an error.
    init(_ files: any DumpFiles, _ tolerating: (@Sendable (ArchiveError) -> Void)? = nil) {
        self.files = files
        self.tolerating = tolerating
    }

    /// Takes note of an error that is tolerated.
    ///
    /// - Parameter lost: what is gone with it; nil for what the error says itself.
    private func tolerate(
        _ error: ArchiveError, of namespace: Namespace? = nil, losing lost: String? = nil
    ) throws {
        guard let tolerating else { throw error }
        let text = lost.map { "\($0) are lost: \(error.message)" } ?? error.message
        tolerating(
            ArchiveError(
                error.code, text, namespace: error.namespace ?? namespace?.description,
                offset: error.offset))
    }

    private static let definitions = "its options and indexes"

    /// All collections in the order in which they are read.
    ///
    /// - Throws: `ArchiveError`, what `files` throws.
    mutating func collections(of layout: DumpLayout) async throws -> [DumpCollection] {
        if let file = layout.prelude {
            do {
                let text = try await text(file)
                let prelude = try file.locating { try MongodumpPreludeFile(text) }
                serverVersion = prelude.serverVersion
                toolVersion = prelude.toolVersion
            } catch let error as ArchiveError {
                try tolerate(error)
            }
        }
        var collections: [DumpCollection] = []
        for database in layout.databases {
            collections += try await self.collections(of: database)
        }
        let rank = ["system.users": 0, "system.roles": 1, "system.version": 2]
        let (first, others) = (
            collections.filter { $0.descriptor.isAuthorization }.sorted {
                rank[$0.descriptor.namespace.collection] ?? 3
                    < rank[$1.descriptor.namespace.collection] ?? 3
            }, collections.filter { !$0.descriptor.isAuthorization }
        )
        // An empty one says that nothing changed.
        let oplog = layout.oplog.flatMap { $0.byteCount > 0 ? $0 : nil }
        let last = oplog.map { DumpCollection(descriptor: .oplog, documents: $0) }
        let all = first + others + [last].compactMap(\.self)
        guard all.count <= ArchiveLimits.namespaceCountMax else {
            throw ArchiveError(.lengthOutOfBounds, "the dump has too many collections")
        }
        return all
    }

    private mutating func collections(
        of database: DumpLayout.Database
    ) async throws -> [DumpCollection] {
        var metadata: [String: MongodumpMetadataFile] = [:]
        for (stem, file) in database.metadata.sorted(by: { $0.key < $1.key }) {
            do {
                let text = try await text(file)
                metadata[stem] = try file.locating { try MongodumpMetadataFile(text) }
            } catch let error as ArchiveError {
                try tolerate(
                    error, of: Namespace(database.name, stem), losing: Self.definitions)
            }
        }
        var collections = try DumpNames(database, metadata, serverVersion: serverVersion)
            .collections { try tolerate($0, of: $1) }
        if let file = database.indexes {
            do {
                try await addIndexes(in: file, to: &collections)
            } catch let error as ArchiveError {
                try tolerate(error, losing: "indexes of \(database.name)")
            }
        }
        return collections
    }

    /// Indexes as servers before 3.0 kept them: all of a database in one collection.
    private mutating func addIndexes(
        in file: DumpLayout.File, to collections: inout [DumpCollection]
    ) async throws {
        do {
            var runs = DocumentRunReader(try await Self.stream(file, files))
            while true {
                let run = try await runs.next()
                guard !run.isEmpty else { return }
                try count(run.count)
                var rest = run[...]
                while !rest.isEmpty {
                    let byteCount = rest.prefix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
                    let index = try BSONDocument(validating: Array(rest.prefix(byteCount)))
                    rest = rest.dropFirst(byteCount)
                    let namespace = try index.first("ns")?.string ?? ""
                    let name = namespace.drop { $0 != "." }.dropFirst()
                    let position = collections.firstIndex {
                        $0.descriptor.namespace.collection == name
                    }
                    if let position { collections[position].descriptor.indexes.append(index) }
                }
            }
        } catch let error as ArchiveError {
            throw error.inFile(file)
        } catch let error as BSONError {
            throw ArchiveError(.malformed, "an index is damaged: \(error)").inFile(file)
        }
    }

    private mutating func text(_ file: DumpLayout.File) async throws -> [UInt8] {
        do {
            let text = try await Self.stream(file, files).all(limit: DumpLimits.textByteCountMax)
            try count(text.count)
            return text
        } catch let error as ArchiveError {
            throw error.inFile(file)
        }
    }

    private mutating func count(_ byteCount: Int) throws(ArchiveError) {
        textByteCount += byteCount
        guard textByteCount <= DumpLimits.textByteCountSumMax else {
            throw ArchiveError(
                .lengthOutOfBounds,
                "options and indexes of all collections take more than "
                    + "\(DumpLimits.textByteCountSumMax) bytes")
        }
    }

    static func stream(
        _ file: DumpLayout.File, _ files: any DumpFiles
    ) async throws -> DumpFileStream {
        let source = try await files.open(file.path)
        do {
            return try await DumpFileStream(source, name: file.path.last ?? "")
        } catch let error as ArchiveError {
            throw error.inFile(file)
        }
    }
}
