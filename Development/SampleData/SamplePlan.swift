/// What all documents of a data set have in common: the seed, how many there are of each kind, and
/// when they came to be.
struct SamplePlan: Sendable {
    /// 2023-01-01 00:00 UTC, when the platform opened, in seconds.
    static let openingSeconds: UInt64 = 1_672_531_200
    /// Three years of business, in seconds.
    static let businessSeconds: UInt64 = 94_608_000

    private let seed: UInt64
    private let counts: [Int]
    /// The part of an ObjectId that a server process draws at its start, by kind; 40 bits.
    private let processValues: [UInt64]

    /// Documents of a booking platform, of every kind its share.
    static func platform(seed: UInt64, documentCount: Int) -> SamplePlan {
        var counts = SampleKind.allCases.map { documentCount * $0.share / SampleKind.shareTotal }
        // The largest kind takes what rounding left over.
        counts[SampleKind.bookings.ordinal] += documentCount - counts.reduce(0, +)
        return SamplePlan(seed: seed, counts: counts)
    }

    /// Documents of one kind only.
    static func only(_ kind: SampleKind, seed: UInt64, documentCount: Int) -> SamplePlan {
        SamplePlan(seed: seed, counts: SampleKind.allCases.map { $0 == kind ? documentCount : 0 })
    }

    private init(seed: UInt64, counts: [Int]) {
        self.seed = seed
        self.counts = counts
        processValues = SampleKind.allCases.map { kind in
            SplitMix64.mix(seed &+ UInt64(kind.ordinal) &* 0xD1B5_4A32_D192_ED03) >> 24
        }
    }

    /// How many documents that kind has.
    func documentCount(of kind: SampleKind) -> Int { counts[kind.ordinal] }

    /// The random numbers of one document, whatever was made before it.
    func random(for kind: SampleKind, at index: Int) -> SplitMix64 {
        let stream = SplitMix64.mix(seed) ^ UInt64(kind.ordinal) << 56
        return SplitMix64(seed: SplitMix64.mix(stream &+ UInt64(index)))
    }

    /// The random numbers of something that occurs in many documents, such as a product: the same
    /// wherever it does.
    func random(for pool: SamplePool, at index: Int) -> SplitMix64 {
        let stream = SplitMix64.mix(~seed) ^ pool.rawValue << 56
        return SplitMix64(seed: SplitMix64.mix(stream &+ UInt64(index)))
    }

    /// When a document came to be, in seconds since 1970: evenly over the three years, in the order
    /// of the indexes.
    func seconds(of kind: SampleKind, at index: Int) -> UInt64 {
        let count = UInt64(max(documentCount(of: kind), 1))
        return Self.openingSeconds + UInt64(index) * Self.businessSeconds / count
    }

    /// The ObjectId of a document, as a driver makes them: seconds, process, counter.
    func objectID(of kind: SampleKind, at index: Int) -> SampleObjectID {
        SampleObjectID(
            seconds: UInt32(truncatingIfNeeded: seconds(of: kind, at: index)),
            processAndCounter: processValues[kind.ordinal] << 24 | UInt64(index & 0xFF_FFFF))
    }
}

/// What documents of several orders have in common, each a pool of its own random numbers.
enum SamplePool: UInt64, Sendable {
    case products = 1
    case customers
    case browsers
}

/// Twelve bytes, big-endian in a document: seconds, then five bytes of the process, then a counter
/// of three.
struct SampleObjectID: Sendable {
    let seconds: UInt32
    let processAndCounter: UInt64
}
