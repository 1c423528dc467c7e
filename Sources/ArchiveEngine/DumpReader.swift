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
    /// - Parameter tolerating: is told of metadata that can't be read, which is done without then;
    ///   nil when that is an error.
    /// - Throws: `ArchiveError`: `notAnArchive`, or what is damaged, with the file's name; what
    ///   `files` throws.
    public init(
        _ target: DumpTarget, in files: any DumpFiles,
        tolerating: (@Sendable (ArchiveError) -> Void)? = nil
    ) async throws {
        self.files = files
        let layout = try await DumpLayout(target, files)
        var catalog = DumpCatalog(files, tolerating)
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

    public func leaveNamespace() -> Bool {
        open = nil
        return true
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
            do {
                open = try await opened(collection)
            } catch let error as ArchiveError {
                throw error.located(
                    namespace: collection.descriptor.dataNamespace.description)
            }
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
