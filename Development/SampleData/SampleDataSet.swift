public import BSONBytes

/// Made-up data: what the demo backs up, what the tests damage and compare, what the benchmarks
/// measure.
///
/// The same theme, seed and document count give the same bytes on every machine.
public struct SampleDataSet: Sendable {
    /// What the data is about.
    public let theme: SampleTheme
    /// What every random choice derives from.
    public let seed: UInt64
    /// Documents of all collections together.
    public let documentCount: Int
    /// The collections, by name. All are there even when they have no document.
    public let collections: [SampleCollection]

    /// - Parameter documentCount: zero or more, for all collections together.
    public init(_ theme: SampleTheme = .platform, seed: UInt64, documentCount: Int) {
        precondition(documentCount >= 0, "a data set has no negative size")
        self.theme = theme
        self.seed = seed
        self.documentCount = documentCount
        collections = theme.collections(seed: seed, documentCount: documentCount)
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
    /// The collection's name, without a database.
    public let name: String
    /// How many documents it has.
    public let documentCount: Int
    /// What `createIndexes` takes: `key`, `name` and options each. Without the index on `_id`.
    public let indexes: [BSONDocument]
    private let kind: SampleKind
    private let plan: SamplePlan
    /// Where its documents begin among those of their kind.
    private let start: Int

    /// All documents of a kind.
    init(kind: SampleKind, plan: SamplePlan) {
        self.init(kind: kind, plan: plan, name: kind.rawValue, indexes: kind.indexes)
    }

    /// Some documents of a kind.
    ///
    /// - Parameter range: within the documents of that kind; nil for all of them.
    init(
        kind: SampleKind, plan: SamplePlan, name: String, indexes: [BSONDocument],
        range: Range<Int>? = nil
    ) {
        let range = range ?? 0..<plan.documentCount(of: kind)
        self.kind = kind
        self.plan = plan
        self.name = name
        self.indexes = indexes
        start = range.lowerBound
        documentCount = range.count
    }

    /// What `create` takes besides the name: a validator, a collation, a capped size; mostly empty.
    public var options: BSONDocument { kind.options(documentCount: documentCount) }

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
        for index in range { writer.appendDocument(of: kind, at: start + index) }
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
