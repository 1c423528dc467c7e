internal import ArchiveEngine
public import ArchiveFormat
internal import BSONBytes
public import ObjectStorage

/// Writes the documents of one collection of an archive in a format of other tools. Chunks are
/// decoded and formatted in parallel and written in the archive's order.
public struct Export: Sendable {
    /// How documents are written.
    public enum Format: String, Sendable, CaseIterable {
        /// One after another, as mongodump's `.bson` files; byte for byte.
        case bson
        /// An array of Extended JSON.
        case json
        /// A line of Extended JSON each.
        case ndjson
        /// A line of chosen fields each (RFC 4180), below a line with their names.
        case csv
    }

    /// Where it is written to.
    public enum Destination: Sendable {
        /// A new file, which is there when it is complete.
        case file(String)
        case pipe(PipeUpload)
    }

    /// What to write and how.
    public struct Options: Sendable {
        public var format: Format
        /// Fields of a CSV line, such as `address.city`.
        public var fields: [String] = []
        /// Whether a text in CSV that a spreadsheet would take for a formula gets an apostrophe in
        /// front; numbers do not.
        public var guardsFormulas = false
        /// Whether JSON keeps every type, instead of numbers and dates as people write them.
        public var isCanonical = false
        /// How many chunks are decoded at once.
        public var width: Int

        public init(format: Format, width: Int) {
            self.format = format
            self.width = width
        }
    }

    /// What was written.
    public struct Report: Sendable {
        public var documentCount: UInt64
        /// What one of them is: `document`, `bucket`, `user`, `role` or `change`.
        public var noun: String
        /// Bytes of the documents in the archive.
        public var documentByteCount: UInt64
        /// Bytes that were written.
        public var writtenByteCount: UInt64
        /// Strings and names of fields that are not UTF-8, and were written with U+FFFD in the
        /// place of each defect. None in BSON, which is byte for byte.
        public var invalidStringCount: UInt64 = 0
        public var seconds: Double
    }

    private let location: ArchiveLocation
    private let namespace: Namespace
    private let destination: Destination
    private let options: Options
    private let observer: any JobObserver

    public init(
        _ location: ArchiveLocation, _ namespace: Namespace, to destination: Destination,
        options: Options, observer: any JobObserver
    ) {
        self.location = location
        self.namespace = namespace
        self.destination = destination
        self.options = options
        self.observer = observer
    }

    /// Runs the export. When it throws, a file is not there; what went through a pipe can't be
    /// taken back.
    ///
    /// - Throws: `notFound` when there is no such collection, `ArchiveError` for a damaged archive,
    ///   `ObjectStorageError`, `CancellationError`.
    public func run() async throws -> Report {
        let clock = ContinuousClock()
        let start = clock.now
        var report = try await destination.withSink { try await write(to: $0) }
        report.seconds = start.duration(to: clock.now).inSeconds
        return report
    }

    private func write(to sink: any ObjectStorage.ByteSink) async throws -> Report {
        let reader = try await location.open().reader
        let found = try ArchivedNamespace(namespace, in: reader)
        reader.select([found.ordinal])
        if let note = found.note { observer.noticed(note) }
        let name = found.descriptor.dataNamespace
        let formatter = DocumentFormatter(options)
        var report = Report(
            documentCount: 0, noun: found.noun, documentByteCount: 0, writtenByteCount: 0,
            seconds: 0)
        var ledger = ArchiveLedger(reader.prelude)
        var progress = JobProgress(
            phase: .reading,
            byteCountTotal: reader.manifest?.namespaces[Int(found.ordinal)].totals.byteCount,
            subject: namespace.description)
        func put(_ bytes: [UInt8]) async throws {
            guard !bytes.isEmpty else { return }
            try await sink.write(bytes)
            report.writtenByteCount += UInt64(bytes.count)
        }
        try await put(formatter.head)
        try await withOrderedWindow(
            width: options.width, ahead: 1, next: { try await reader.next()?.toBecomeText },
            transform: { (pending: PendingChunk) async throws -> Formatted in
                let chunk = try pending.decoded()
                return Formatted(text: try formatter.text(of: chunk, in: name), chunk: chunk)
            },
            deliver: { formatted in
                try ledger.enter(formatted.chunk)
                for block in formatted.chunk.blocks where block.header.namespace == name {
                    progress.documentCount += block.totals.documentCount
                    progress.byteCount += block.totals.byteCount
                }
                let text = formatted.text
                if !text.bytes.isEmpty, report.documentCount > 0 {
                    try await put(formatter.separator)
                }
                try await put(text.bytes)
                report.invalidStringCount += text.invalidStringCount
                report.documentCount = progress.documentCount
                report.documentByteCount = progress.byteCount
                observer.progressed(progress)
            })
        try ledger.close(manifest: reader.manifest, selected: [found.ordinal])
        try await put(formatter.tail)
        return report
    }

    private struct Formatted: Sendable {
        var text: DocumentFormatter.Text
        var chunk: DecodedChunk
    }
}

extension Export.Destination {
    /// Calls `body` with a place to write to. When it throws, a file is not there; what went
    /// through a pipe can't be taken back.
    func withSink<Result>(
        _ body: (any ObjectStorage.ByteSink) async throws -> Result
    ) async throws -> Result {
        switch self {
        case .file(let path):
            let (store, key) = try await FileSystemStore.splitting(path)
            return try await store.withUpload(key: key) { try await body($0) }
        case .pipe(let pipe):
            let result = try await body(pipe)
            try await pipe.finish()
            return result
        }
    }
}
