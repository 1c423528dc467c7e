internal import ArchiveEngine
public import ArchiveFormat
public import BSONBytes

/// Compares two snapshots, namespace by namespace: equal fingerprints answer at once, equal chunks
/// are skipped, the rest is compared document by document, by `_id`.
///
/// Memory: `Options.memoryByteCount` for the documents that are not in equal chunks, and a few
/// chunks; what does not fit is compared in several passes.
public struct Comparison: Sendable {
    /// How to compare.
    public struct Options: Sendable {
        /// How many chunks are decoded at once.
        public var width: Int
        /// About how many bytes the table of documents may take.
        public var memoryByteCount = 128 * 1024 * 1024
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
        let (left, right) = (try await Self.open(first), try await Self.open(second))
        var namespaces: [NamespaceDifference] = []
        for (ordinal, entry) in left.index.manifest.namespaces.enumerated()
        where isCompared(entry) {
            let name = entry.descriptor.namespace
            observer.progressed(JobProgress(phase: .comparing, subject: name.description))
            guard let other = right.ordinal(of: name) else {
                namespaces.append(.onlyInFirst(entry))
                continue
            }
            let pair = ComparedPair(
                ComparedCollection(left, UInt32(ordinal)), ComparedCollection(right, other),
                options)
            namespaces.append(try await pair.difference())
        }
        for entry in right.index.manifest.namespaces
        where left.ordinal(of: entry.descriptor.namespace) == nil && isCompared(entry) {
            namespaces.append(.onlyInSecond(entry))
        }
        return Report(
            first: left.index.manifest, second: right.index.manifest, namespaces: namespaces,
            seconds: start.duration(to: clock.now).inSeconds)
    }

    /// Two oplogs are of different times and say nothing about what differs at their ends.
    private func isCompared(_ entry: Manifest.NamespaceEntry) -> Bool {
        !entry.descriptor.isOplog && options.filter.contains(entry.descriptor.namespace)
    }

    private static func open(_ location: ArchiveLocation) async throws -> IndexedChunks {
        guard let reader = try await location.open() as? IndexedArchiveReader else {
            throw SnapshotError(
                .unsupported,
                "only archives with an index can be compared; make one with \"cairn index\"")
        }
        return reader.chunks
    }
}

/// How one namespace of two snapshots differs.
public struct NamespaceDifference: Sendable {
    /// A document of which both have one, and the fields in which they differ.
    public struct Differing: Sendable {
        public var id: BSONValue
        public var fields: [FieldDifference]
    }

    public var namespace: Namespace
    /// Which snapshots have it; both unless one is false.
    public var isInFirst = true
    public var isInSecond = true
    /// Documents with an `_id` that only the first, or only the second has.
    public var onlyInFirstCount: UInt64 = 0
    public var onlyInSecondCount: UInt64 = 0
    /// Documents with the same `_id` that differ.
    public var differingCount: UInt64 = 0
    public var equalCount: UInt64 = 0
    public var optionsDiffer = false
    /// Names of indexes that only one has or that are defined in another way.
    public var indexes: [String] = []
    /// `_id`s of the first few.
    public var onlyInFirst: [BSONValue] = []
    public var onlyInSecond: [BSONValue] = []
    public var differing: [Differing] = []
    /// Chunks of both that were decoded for it.
    public var decodedChunkCount = 0

    public var isEqual: Bool {
        isInFirst && isInSecond && onlyInFirstCount == 0 && onlyInSecondCount == 0
            && differingCount == 0 && !optionsDiffer && indexes.isEmpty
    }

    init(_ namespace: Namespace) {
        self.namespace = namespace
    }

    static func onlyInFirst(_ entry: Manifest.NamespaceEntry) -> NamespaceDifference {
        var difference = NamespaceDifference(entry.descriptor.namespace)
        difference.isInSecond = false
        difference.onlyInFirstCount = entry.totals.documentCount
        return difference
    }

    static func onlyInSecond(_ entry: Manifest.NamespaceEntry) -> NamespaceDifference {
        var difference = NamespaceDifference(entry.descriptor.namespace)
        difference.isInFirst = false
        difference.onlyInSecondCount = entry.totals.documentCount
        return difference
    }
}

extension IndexedChunks {
    func ordinal(of namespace: Namespace) -> UInt32? {
        index.manifest.namespaces.firstIndex { $0.descriptor.namespace == namespace }.map {
            UInt32($0)
        }
    }
}
