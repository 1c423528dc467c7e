public import BSONBytes

/// The data of an imaginary platform where people book coaches: what the demo backs up, what the
/// tests damage and compare, what the benchmarks measure.
///
/// The same seed and document count give the same bytes on every machine. Documents have 860 bytes
/// on average, 90 bytes to 7 KB each, and shrink under gzip -6 to 36 %, about as real ones do.
public struct SampleDataSet: Sendable {
    /// What every random choice derives from.
    public let seed: UInt64
    /// Documents of all collections together.
    public let documentCount: Int
    /// The collections, by name. All are there even when they have no document.
    public let collections: [SampleCollection]

    /// - Parameter documentCount: zero or more, for all collections together.
    public init(seed: UInt64, documentCount: Int) {
        precondition(documentCount >= 0, "a data set has no negative size")
        self.seed = seed
        self.documentCount = documentCount
        let plan = SamplePlan(seed: seed, documentCount: documentCount)
        collections = SampleKind.allCases
            .map { SampleCollection(kind: $0, plan: plan) }
            .sorted { $0.name < $1.name }
    }

    /// The collection of that name, or nil.
    public func collection(named name: String) -> SampleCollection? {
        collections.first { $0.name == name }
    }
}

/// One collection of a sample data set: how to create it, and each of its documents by its index.
///
/// A value without documents in it: they are made when asked for, any range at any time and by as
/// many tasks as one likes.
public struct SampleCollection: Sendable {
    private let kind: SampleKind
    private let plan: SamplePlan

    init(kind: SampleKind, plan: SamplePlan) {
        self.kind = kind
        self.plan = plan
    }

    /// The collection's name, without a database.
    public var name: String { kind.rawValue }

    /// How many documents it has.
    public var documentCount: Int { plan.documentCount(of: kind) }

    /// What `create` takes besides the name: a validator, a collation, a capped size; mostly empty.
    public var options: BSONDocument { kind.options(documentCount: documentCount) }

    /// What `createIndexes` takes: `key`, `name` and options each. Without the index on `_id`.
    public var indexes: [BSONDocument] { kind.indexes }

    /// The documents of a range, one directly after the other.
    ///
    /// Cost: above 100 MB/s on one core in a release build.
    /// - Parameter range: within 0 to `documentCount`.
    public func documents(_ range: Range<Int>) -> [UInt8] {
        var bytes: [UInt8] = []
        append(range, to: &bytes)
        return bytes
    }

    /// Appends the documents of a range, so that a buffer can be used again and again.
    ///
    /// - Parameter range: within 0 to `documentCount`.
    public func append(_ range: Range<Int>, to bytes: inout [UInt8]) {
        precondition(
            range.lowerBound >= 0 && range.upperBound <= documentCount,
            "the range leaves the collection")
        var taken: [UInt8] = []
        swap(&taken, &bytes)
        var writer = SampleWriter(plan: plan, bytes: taken)
        taken = []
        for index in range { writer.appendDocument(of: kind, at: index) }
        bytes = writer.takeBytes()
    }

    /// One document.
    ///
    /// - Parameter index: from 0, less than `documentCount`.
    /// - Throws: never in practice; `BSONError` if a generated document were not framed well.
    public func document(at index: Int) throws(BSONError) -> BSONDocument {
        try BSONDocument(validating: documents(index..<index + 1))
    }
}
