public import ArchiveFormat
internal import BSONBytes

/// A folder that mongodump wrote, or one file of it, read like an archive: first users and roles,
/// then collection by collection, then the oplog. It has no checksums: what is checked is that
/// every file is made of whole documents, and each of those of whole values.
///
/// Memory: the metadata of all collections, and a few MiB.
public final class DumpReader: ArchiveReader {
    public let prelude: ArchivePrelude
    public let manifest: Manifest? = nil
    public let storedByteCount: UInt64?
    public let notes: [String]
    public let hasChecksums = false

    /// The collection that is being read.
    private struct Open {
        var header: MongodumpBlock.Header
        /// Nil without a file.
        var documents: (file: DumpLayout.File, stream: DumpFileStream, runs: DocumentRunReader)?
        var crc64: UInt64 = 0
        var reportedByteCount: UInt64 = 0
    }

    private let files: any DumpFiles
    private var waiting: ArraySlice<(ordinal: UInt32, collection: DumpCollection)>
    private var wanted: Set<UInt32>?
    private var open: Open?

    /// Looks into the folder and reads all metadata.
    ///
    /// - Throws: `ArchiveError`: `notAnArchive`, or what is damaged, with the file's name; what
    ///   `files` throws.
    public init(_ target: DumpTarget, in files: any DumpFiles) async throws {
        self.files = files
        let layout = try await DumpLayout(target, files)
        var catalog = DumpCatalog(files)
        let collections = try await catalog.collections(of: layout)
        prelude = ArchivePrelude(
            serverVersion: catalog.serverVersion, toolVersion: catalog.toolVersion,
            namespaces: collections.map(\.descriptor))
        waiting = collections.enumerated().map { (UInt32($0), $1) }[...]
        storedByteCount = collections.reduce(0) { sum, collection in
            sum.addingReportingOverflow(collection.documents?.byteCount ?? 0).partialValue
        }
        notes = layout.notes
    }

    public func select(_ ordinals: Set<UInt32>) {
        wanted = ordinals
    }

    public func next() async throws -> PendingChunk? {
        if open == nil {
            let isWanted = { [wanted] (ordinal: UInt32) in wanted?.contains(ordinal) ?? true }
            guard let next = waiting.firstIndex(where: { isWanted($0.ordinal) }) else {
                waiting = []
                return nil
            }
            let collection = waiting[next].collection
            waiting = waiting[(next + 1)...]
            open = try await opened(collection)
        }
        guard var current = open else { return nil }
        let place = current.documents.map {
            DumpPlace(
                file: $0.file.description, offset: $0.stream.isPlain ? $0.runs.offset : nil)
        }
        let (run, byteCount) = try await run(&current)
        guard !run.isEmpty else {
            open = nil
            let end = MongodumpBlock.Header(
                current.header.namespace, isEnd: true, crc64: current.crc64)
            return PendingChunk(header: end, documents: [], storedByteCount: byteCount)
        }
        current.crc64 = run.withUnsafeBytes { CRC64.checksum($0, after: current.crc64) }
        open = current
        return PendingChunk(
            header: current.header, documents: run, storedByteCount: byteCount, place: place)
    }

    private func opened(_ collection: DumpCollection) async throws -> Open {
        var open = Open(header: MongodumpBlock.Header(collection.descriptor.dataNamespace))
        guard let file = collection.documents else { return open }
        let stream = try await DumpCatalog.stream(file, files)
        open.documents = (file, stream, DocumentRunReader(stream))
        return open
    }

    /// The next documents, and how many bytes of the file were read for them.
    private func run(_ open: inout Open) async throws -> ([UInt8], Int) {
        guard let documents = open.documents else { return ([], 0) }
        var runs = documents.runs
        do {
            let run = try await runs.next()
            open.documents?.runs = runs
            let stored = documents.stream.storedByteCount
            defer { open.reportedByteCount = stored }
            return (run, Int(stored - open.reportedByteCount))
        } catch let error as ArchiveError {
            throw error.inFile(documents.file)
                .located(namespace: open.header.namespace.description)
        }
    }
}

/// Reads what a dump says beside its documents.
struct DumpCatalog {
    private(set) var serverVersion = "unknown"
    private(set) var toolVersion = "unknown"
    private let files: any DumpFiles
    private var textByteCount = 0

    init(_ files: any DumpFiles) {
        self.files = files
    }

    /// All collections in the order in which they are read.
    ///
    /// - Throws: `ArchiveError`, what `files` throws.
    mutating func collections(of layout: DumpLayout) async throws -> [DumpCollection] {
        if let file = layout.prelude {
            let text = try await text(file)
            let prelude = try file.locating { try MongodumpPreludeFile(text) }
            serverVersion = prelude.serverVersion
            toolVersion = prelude.toolVersion
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
        for (stem, file) in database.metadata {
            let text = try await text(file)
            metadata[stem] = try file.locating { try MongodumpMetadataFile(text) }
        }
        var collections = try DumpNames(database, metadata, serverVersion: serverVersion)
            .collections()
        if let file = database.indexes { try await addIndexes(in: file, to: &collections) }
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
