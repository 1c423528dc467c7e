/// What a sample data set is about; the raw value is its name on command lines.
public enum SampleTheme: String, CaseIterable, Sendable {
    /// A platform where people book coaches: ten collections of every sort, with indexes of every
    /// kind. Documents have 860 bytes on average, 90 bytes to 7 KB each, and shrink under gzip -6
    /// to 36 %, about as real ones do.
    case platform
    /// Orders of a web shop: one collection, 850 bytes a document on average, with a fair share of
    /// random numbers, and with products and customers that come again too far apart for deflate's
    /// window of 32 KiB. In pieces of 4 MiB they shrink under zlib -6 to 44.2 %, ISA-L -2 to
    /// 45.8 %, zstd -1 to 42.3 %, zstd -3 to 34.4 %, lz4 to 64.2 %.
    case orders
    /// Readings of sensors: one collection, 120 bytes a document.
    case small
    /// Reports with text, numbers and a picture: one collection, 100 KB a document on average.
    case large
    /// Settings of many tenants: a collection for ten documents, and an index on every fourth.
    case tiny

    /// Documents of each collection of `tiny`.
    private static let tinyDocumentCount = 10

    /// The collections, by name.
    func collections(seed: UInt64, documentCount: Int) -> [SampleCollection] {
        switch self {
        case .platform:
            let plan = SamplePlan.platform(seed: seed, documentCount: documentCount)
            return SampleKind.platform
                .map { SampleCollection(kind: $0, plan: plan) }
                .sorted { $0.name < $1.name }
        case .orders: return [single(.orders, seed, documentCount)]
        case .small: return [single(.readings, seed, documentCount)]
        case .large: return [single(.reports, seed, documentCount)]
        case .tiny: return tenants(seed, documentCount)
        }
    }

    private func single(
        _ kind: SampleKind, _ seed: UInt64, _ documentCount: Int
    ) -> SampleCollection {
        let plan = SamplePlan.only(kind, seed: seed, documentCount: documentCount)
        return SampleCollection(kind: kind, plan: plan)
    }

    private func tenants(_ seed: UInt64, _ documentCount: Int) -> [SampleCollection] {
        let plan = SamplePlan.only(.settings, seed: seed, documentCount: documentCount)
        let starts = stride(from: 0, to: documentCount, by: Self.tinyDocumentCount)
        return starts.enumerated().map { tenant, start in
            // With leading zeros, so that their order is that of the numbers.
            let number = String(1_000_000 + tenant).dropFirst()
            return SampleCollection(
                kind: .settings, plan: plan, name: "settings_\(number)",
                indexes: tenant % 4 == 0 ? SampleKind.settings.indexes : [],
                range: start..<min(start + Self.tinyDocumentCount, documentCount))
        }
    }
}
