internal import ArchiveEngine
public import ArchiveFormat

/// Compares two snapshots, namespace by namespace: equal fingerprints answer at once, equal chunks
/// are skipped, the rest is compared document by document, by `_id`.
///
/// Memory: `Options.memoryByteCount` for the documents that are not in equal chunks, and a few
/// chunks; what does not fit is compared in several passes.
public struct Comparison: Sendable {
    /// How to compare.
    public struct Options: Sendable {
        static let memoryByteCountStandard = 128 * 1024 * 1024

        /// How many chunks are decoded at once.
        public var width: Int
        /// About how many bytes the table of documents may take.
        public var memoryByteCount = memoryByteCountStandard
        /// How many documents of each kind are told by name.
        public var sampleCount = 5
        public var filter = NamespaceFilter()

        public init(width: Int) {
            self.width = width
        }
    }

    /// What differs.
    public struct Report: Sendable {
        public var first: Manifest
        public var second: Manifest
        /// In the order of the first snapshot, then those that only the second has.
        public var namespaces: [NamespaceDifference]
        public var seconds: Double

        public var isEqual: Bool { namespaces.allSatisfy(\.isEqual) }
    }

    private let first: ArchiveLocation
    private let second: ArchiveLocation
    private let options: Options
    private let observer: any JobObserver

    public init(
        _ first: ArchiveLocation, _ second: ArchiveLocation, options: Options,
        observer: any JobObserver
    ) {
        self.first = first
        self.second = second
        self.options = options
        self.observer = observer
    }

    /// - Throws: `ArchiveError` for a damaged archive, `unsupported` for one without an index.
    public func run() async throws -> Report {
        let clock = ContinuousClock()
        let start = clock.now
        let (left, right) = (try await first.openIndexed(), try await second.openIndexed())
        var namespaces: [NamespaceDifference] = []
        let (leftOrdinals, rightOrdinals) = (left.ordinals, right.ordinals)
        let matcher = NamespaceMatcher(options.filter)
        for (ordinal, entry) in left.index.manifest.namespaces.enumerated()
        where Self.isCompared(entry, matcher) {
            let name = entry.descriptor.namespace
            observer.progressed(JobProgress(phase: .comparing, subject: name.description))
            guard let other = rightOrdinals[name] else {
                namespaces.append(.onlyInFirst(entry))
                continue
            }
            var pair = ComparedPair(name, entry.descriptor.type, options)
            try await pair.compare(
                ArchivedDocuments(left, UInt32(ordinal)), ArchivedDocuments(right, other))
            namespaces.append(pair.difference)
        }
        for entry in right.index.manifest.namespaces
        where leftOrdinals[entry.descriptor.namespace] == nil && Self.isCompared(entry, matcher) {
            namespaces.append(
                .onlyInSecond(
                    entry.descriptor.namespace, entry.descriptor.type,
                    documentCount: entry.totals.documentCount))
        }
        return Report(
            first: left.index.manifest, second: right.index.manifest, namespaces: namespaces,
            seconds: start.duration(to: clock.now).inSeconds)
    }

    /// Two oplogs are of different times and say nothing about what differs at their ends.
    private static func isCompared(
        _ entry: Manifest.NamespaceEntry, _ matcher: NamespaceMatcher
    ) -> Bool {
        !entry.descriptor.isOplog && matcher.contains(entry.descriptor.namespace)
    }
}

extension IndexedChunks {
    /// Positions of the namespaces by their names.
    fileprivate var ordinals: [Namespace: UInt32] {
        Dictionary(
            index.manifest.namespaces.enumerated().map { ($1.descriptor.namespace, UInt32($0)) },
            uniquingKeysWith: { first, _ in first })
    }
}

extension ArchiveLocation {
    /// The chunks of an archive that has an index.
    ///
    /// - Throws: `unsupported` for one without, `ArchiveError` for a damaged one.
    func openIndexed() async throws -> IndexedChunks {
        guard let reader = try await open().indexed else {
            throw SnapshotError(
                .unsupported,
                "only archives with an index can be compared; make one with \"cairn index\"")
        }
        return reader.chunks
    }
}
