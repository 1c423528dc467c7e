import BSONBytes
import SampleData
import Testing

/// The data sets of the benchmarks; the platform has tests of its own.
@Suite struct SampleThemeTests {
    /// Averages that the benchmark's figures are stated for.
    @Test(arguments: [
        (SampleTheme.orders, 4000, 825...875), (.small, 4000, 115...125),
        (.large, 40, 95_000...105_000), (.tiny, 4000, 130...170),
    ])
    func documentsHaveTheirSizeOnAverage(
        theme: SampleTheme, documentCount: Int, byteCounts: ClosedRange<Int>
    ) throws {
        let set = SampleDataSet(theme, seed: 1, documentCount: documentCount)
        let byteCount = set.collections.map { $0.documents(0..<$0.documentCount).count }
            .reduce(0, +)
        #expect(byteCounts.contains(byteCount / documentCount))
    }

    /// What other machines must get too: a change here changes every stored benchmark.
    @Test(arguments: [
        (SampleTheme.orders, "c89bb35310e49bed9f0105a067e40fbd"),
        (.small, "553a4471757054094734147bb9e9b065"), (.large, "6b5688202637115c93eb1ba5c184ad32"),
        (.tiny, "7c70d47155c1ca2ecd59b6628ffa609f"),
    ])
    func bytesAreTheSameOnEveryMachine(theme: SampleTheme, fingerprint: String) throws {
        var found = DocumentFingerprint()
        for collection in SampleDataSet(theme, seed: 1, documentCount: 100).collections {
            let bytes = collection.documents(0..<collection.documentCount)
            try bytes.withUnsafeBytes {
                try BSONFraming.forEachDocument(in: $0) { found.add($0) }
            }
        }
        #expect(found.hexadecimal == fingerprint)
    }

    @Test(arguments: Self.benchmarked)
    func anotherSeedGivesOtherDocuments(theme: SampleTheme) throws {
        let sets = [1, 2].map { SampleDataSet(theme, seed: $0, documentCount: 100) }
        let documents = try sets.map { try $0.collections[0].document(at: 0) }
        #expect(documents[0] != documents[1])
    }

    @Test(arguments: Self.benchmarked)
    func anyRangeIsWhatItIsInTheWhole(theme: SampleTheme) throws {
        for collection in SampleDataSet(theme, seed: 1, documentCount: 24).collections {
            let count = collection.documentCount
            var pieces = collection.documents(0..<count / 2)
            collection.append(count / 2..<count, to: &pieces)
            #expect(pieces == collection.documents(0..<count))
        }
    }

    @Test(arguments: Self.benchmarked)
    func documentsAreValidAndBeginWithIdentifiersInIncreasingOrder(theme: SampleTheme) throws {
        for collection in SampleDataSet(theme, seed: 1, documentCount: 50).collections {
            var last: [UInt8] = []
            for index in 0..<collection.documentCount {
                let document = try collection.document(at: index)
                try walk(document)
                let first = try #require(try document.elements().first)
                #expect(first.name == "_id" && first.value.type == .objectID)
                #expect(last.lexicographicallyPrecedes(first.value.bytes))
                last = Array(first.value.bytes)
            }
        }
    }

    /// Products and customers come again; what is random does not.
    @Test func ordersHoldCopiesOfTheSameProducts() throws {
        let set = SampleDataSet(.orders, seed: 1, documentCount: 1000)
        let items = try (0..<1000).map { index in
            let order = try set.collections[0].document(at: index)
            return try order.require("item", \.document).require("description", \.string)
        }
        #expect((300..<900).contains(Set(items).count))
    }

    @Test func tinyCollectionsHaveTenDocumentsAndEveryFourthAnIndex() {
        let set = SampleDataSet(.tiny, seed: 1, documentCount: 405)
        #expect(set.collections.count == 41)
        #expect(set.collections.dropLast().allSatisfy { $0.documentCount == 10 })
        #expect(set.collections.last?.documentCount == 5)
        #expect(set.collections.map(\.name) == set.collections.map(\.name).sorted())
        #expect(set.collections.filter { !$0.indexes.isEmpty }.count == 11)
    }

    private static let benchmarked: [SampleTheme] = [.orders, .small, .large, .tiny]
}
