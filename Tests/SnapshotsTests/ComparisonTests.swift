import ArchiveFormat
import BSONBytes
import Snapshots
import Testing

/// Snapshots that are compared with each other, and with a plain model of the same.
@Suite struct ComparisonTests {
    private func compare(
        _ first: [MadeArchive.Part], _ second: [MadeArchive.Part],
        adjust: (inout Comparison.Options) -> Void = { _ in }
    ) async throws -> Comparison.Report {
        let folder = try TemporaryFolder()
        let left = try folder.file("first", try await MadeArchive.cairn(first))
        let right = try folder.file("second", try await MadeArchive.cairn(second))
        var options = Comparison.Options(width: 2)
        adjust(&options)
        return try await Comparison(
            .file(left), .file(right), options: options, observer: RecordingObserver()
        ).run()
    }

    private func changed(_ number: Int) -> BSONDocument {
        BSONDocument {
            $0.append("_id", Int32(number))
            $0.append("text", "changed")
        }
    }

    @Test func equalSnapshotsAreNotRead() async throws {
        let parts = [
            MadeArchive.Part("shop.a", [MadeArchive.made(0..<9)]),
            MadeArchive.Part("shop.b", [MadeArchive.made(0..<2)], isMixed: true),
        ]
        let report = try await compare(parts, parts)
        #expect(report.isEqual)
        #expect(report.namespaces.map(\.decodedChunkCount) == [0, 0])
        #expect(report.namespaces.map(\.equalCount) == [9, 2])
    }

    @Test func onlyChunksThatDifferAreRead() async throws {
        let chunks = (0..<10).map { MadeArchive.made($0 * 10..<$0 * 10 + 10) }
        var others = chunks
        others[3][4] = changed(34)
        let report = try await compare(
            [MadeArchive.Part("shop.a", chunks)], [MadeArchive.Part("shop.a", others)])
        let difference = try #require(report.namespaces.first)
        #expect(difference.differingCount == 1 && difference.equalCount == 99)
        #expect(difference.decodedChunkCount == 2)
        let pair = try #require(difference.differing.first)
        #expect(pair.id.int32 == 34)
        #expect(pair.fields.map(\.path) == ["text"])
        #expect(pair.fields.first?.second?.string == "changed")
    }

    @Test func whatOnlyOneHasIsTold() async throws {
        var second = MadeArchive.Part("shop.a", [MadeArchive.made(2..<8)])
        second.descriptor.options = BSONDocument { $0.append("capped", true) }
        second.descriptor.indexes = [BSONDocument { $0.append("name", "n_1") }]
        let report = try await compare(
            [
                MadeArchive.Part("shop.a", [MadeArchive.made(0..<5)]),
                MadeArchive.Part("shop.gone", [MadeArchive.made(0..<3)]),
            ],
            [second, MadeArchive.Part("shop.new", [MadeArchive.made(0..<4)])])
        let difference = try #require(report.namespaces.first)
        #expect(difference.onlyInFirstCount == 2 && difference.onlyInSecondCount == 3)
        #expect(difference.onlyInFirst.compactMap(\.int32) == [0, 1])
        #expect(difference.onlyInSecond.compactMap(\.int32) == [5, 6, 7])
        #expect(difference.options.map(\.path) == ["capped"])
        #expect(difference.indexes.map(\.name) == ["n_1"])
        #expect(report.namespaces.map(\.isInSecond) == [true, false, true])
        #expect(report.namespaces.map(\.isInFirst) == [true, true, false])
    }

    @Test func aNumberOfAnotherTypeIsTheSameID() async throws {
        let first = [BSONDocument { $0.append("_id", Int32(1)) }]
        let second = [BSONDocument { $0.append("_id", 1.0) }]
        let report = try await compare(
            [MadeArchive.Part("shop.a", [first])], [MadeArchive.Part("shop.a", [second])])
        let difference = try #require(report.namespaces.first)
        #expect(difference.differingCount == 1 && difference.onlyInFirstCount == 0)
    }

    @Test func theOrderOfFieldsIsADifference() async throws {
        func document(_ names: [String]) -> BSONDocument {
            BSONDocument { builder in
                builder.append("_id", Int32(1))
                for name in names { builder.append(name, "x") }
            }
        }
        let fields = try FieldDifference.between(document(["a", "b"]), document(["b", "a"]))
        #expect(fields.map(\.path) == [""])
    }

    /// Any number of passes finds the same as a dictionary does.
    @Test(arguments: [1, 2, 3, 4, 5], [1 << 30, 20_000])
    func randomSnapshotsAreComparedExactly(seed: UInt64, memory: Int) async throws {
        var random = Dice(seed)
        let numbers = (0..<2000).map { _ in Int(random.next() % 1500) }
        let own = Set(numbers).sorted()
        var model: [Int: BSONDocument] = [:]
        for number in own { model[number] = MadeArchive.made(number..<number + 1)[0] }
        var other = model
        for number in 0..<1500 {
            switch random.next() % 20 {
            case 0: other[number] = nil
            case 1: other[number] = changed(number)
            default: break
            }
        }
        func part(_ documents: [Int: BSONDocument]) -> MadeArchive.Part {
            let sorted = documents.keys.sorted().compactMap { documents[$0] }
            let chunks = stride(from: 0, to: sorted.count, by: 70).map {
                Array(sorted[$0..<min(sorted.count, $0 + 70)])
            }
            return MadeArchive.Part("shop.a", chunks)
        }
        let report = try await compare([part(model)], [part(other)]) {
            $0.memoryByteCount = memory
        }
        let difference = try #require(report.namespaces.first)
        #expect(
            difference.onlyInFirstCount == UInt64(model.keys.filter { other[$0] == nil }.count))
        #expect(
            difference.onlyInSecondCount == UInt64(other.keys.filter { model[$0] == nil }.count))
        let both = model.keys.filter { other[$0] != nil }
        #expect(difference.equalCount == UInt64(both.filter { model[$0] == other[$0] }.count))
        #expect(difference.differingCount == UInt64(both.filter { model[$0] != other[$0] }.count))
    }
}

/// Numbers that depend on a seed alone.
private struct Dice {
    private var state: UInt64

    init(_ seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state >> 33
    }
}
