import ArchiveFormat
import BSONBytes
import Foundation
import ObjectStorage
import Testing

@testable import ArchiveEngine
@testable import Snapshots

/// Damaged archives that hold archives, of the same database even, or that others were mixed with:
/// what comes back is the archive's own, all of it that is whole, and each once.
@Suite struct NestedSalvageTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    private func salvage(
        _ bytes: [UInt8]
    ) async throws -> (report: SalvageReport, documents: [String: [BSONDocument]]) {
        let path = try folder.file("damaged-\(UUID())", bytes)
        let new = folder.path + "/saved-\(UUID())"
        defer {
            for file in [path, new] { unlink(file) }
        }
        let report = try await Salvage(
            .file(path), to: .file(new),
            options: Salvage.Options(width: 2, temporaryFolder: folder.path),
            environment: MadeArchive.environment, observer: RecordingObserver()
        ).run()
        return (report, try await MadeArchive.documents(try folder.bytes(new)))
    }

    /// The archive, one that its documents hold, and one of somebody else.
    private struct Scene {
        var outer: NestedArchive
        var inner: NestedArchive
        var other: NestedArchive

        init(_ codec: Codec, seed: UInt64) async throws {
            var random = SeededNumbers(seed: seed)
            inner = try await NestedArchive.make(
                codec, first: 1_000_000, chunkCount: 9, holding: [], &random)
            other = try await NestedArchive.make(
                codec, first: 2_000_000, chunkCount: 5, holding: [], &random)
            // Whole, and cut in two as GridFS does.
            let middle = inner.bytes.count / 2
            outer = try await NestedArchive.make(
                codec, first: 0, chunkCount: 3,
                holding: [
                    inner.bytes, Array(inner.bytes[..<middle]), Array(inner.bytes[middle...]),
                ], &random)
        }
    }

    private func check(
        _ scene: Scene, _ pieces: [NestedArchive.Piece], isExact: Bool = true, _ what: String
    ) async throws {
        let bytes = pieces.flatMap(\.bytes)
        let isIndexWhole = pieces.last.map { $0.own == nil && $0.bytes == scene.outer.end } ?? false
        let expected = NestedArchive.Expectation(
            isIndexWhole: isIndexWhole,
            whole: Set(pieces.filter(\.isWhole).compactMap(\.own)), isExact: isExact)
        let (report, documents) = try await salvage(bytes)
        let faults = scene.outer.faults(documents, isComplete: report.isComplete, expected)
        #expect(faults == [], "\(scene.outer.codec.name), \(what)")
    }

    /// Pieces with an index that is damaged.
    private static func withoutIndex(_ pieces: [NestedArchive.Piece]) -> [NestedArchive.Piece] {
        var pieces = pieces
        let last = pieces.count - 1
        pieces[last].bytes[pieces[last].bytes.count / 2] ^= 4
        pieces[last].isWhole = false
        return pieces
    }

    /// The case that was reported: the header of a chunk whose documents hold an archive.
    @Test(arguments: Codec.allCases, [true, false])
    func aHeaderThatIsDamagedLosesItsChunkOnly(_ codec: Codec, _ hasIndex: Bool) async throws {
        let scene = try await Scene(codec, seed: 1)
        let headByteCount = Frame.headByteCount(codec)
        for number in scene.outer.chunks.indices {
            for position in stride(from: 0, to: headByteCount, by: hasIndex ? 29 : 23) {
                var pieces = scene.outer.pieces
                pieces[number].bytes[position] ^= 1 << (position % 8)
                pieces[number].isWhole = false
                if !hasIndex { pieces = Self.withoutIndex(pieces) }
                try await check(scene, pieces, "chunk \(number), byte \(position)")
            }
        }
    }

    /// Header and codec frame at once, as a lost sector does: nothing says where the chunk ends.
    @Test(arguments: Codec.allCases, [true, false])
    func aHeadThatIsGoneLosesItsChunkOnly(_ codec: Codec, _ hasIndex: Bool) async throws {
        let scene = try await Scene(codec, seed: 2)
        for number in scene.outer.chunks.indices {
            for count in [120, 512] {
                var pieces = scene.outer.pieces
                let end = min(count, pieces[number].bytes.count)
                pieces[number].bytes.replaceSubrange(
                    0..<end, with: [UInt8](repeating: 0, count: end))
                pieces[number].isWhole = false
                if !hasIndex { pieces = Self.withoutIndex(pieces) }
                try await check(scene, pieces, "chunk \(number), \(count) bytes")
            }
        }
    }

    @Test(arguments: Codec.allCases, [true, false])
    func chunksOutOfOrderAreAllTaken(_ codec: Codec, _ hasIndex: Bool) async throws {
        let scene = try await Scene(codec, seed: 3)
        let pieces = hasIndex ? scene.outer.pieces : Self.withoutIndex(scene.outer.pieces)
        let count = scene.outer.chunks.count
        // The last copied in front of the second.
        var copied = pieces
        copied.insert(pieces[count - 1], at: 1)
        try await check(scene, copied, "copied")
        // Each twice.
        try await check(scene, pieces.dropLast().flatMap { [$0, $0] } + [pieces[count]], "twice")
        // Two exchanged, all turned round, the first at the end.
        for (first, second) in [(0, 1), (2, 4), (3, count - 1)] {
            var swapped = pieces
            swapped.swapAt(first, second)
            try await check(scene, swapped, "\(first) and \(second) exchanged")
        }
        try await check(
            scene, Array(pieces.dropLast().reversed()) + [pieces[count]], "turned round")
        var moved = pieces
        moved.insert(moved.remove(at: 0), at: count - 1)
        try await check(scene, moved, "the prelude moved")
    }

    @Test(arguments: Codec.allCases, [true, false])
    func bytesBetweenChunksAreNoHindrance(_ codec: Codec, _ hasIndex: Bool) async throws {
        let scene = try await Scene(codec, seed: 4)
        let pieces = hasIndex ? scene.outer.pieces : Self.withoutIndex(scene.outer.pieces)
        for place in 0..<pieces.count {
            var changed = pieces
            changed.insert(NestedArchive.Piece(bytes: Array("lost and found".utf8)), at: place)
            try await check(scene, changed, "in front of \(place)")
        }
    }

    /// Bytes that are missing within a chunk, whose end is then not where it says.
    @Test(arguments: Codec.allCases, [true, false])
    func bytesMissingWithinAChunkLoseItOnly(_ codec: Codec, _ hasIndex: Bool) async throws {
        let scene = try await Scene(codec, seed: 5)
        for number in scene.outer.chunks.indices where scene.outer.chunks[number].kind == .data {
            var pieces = hasIndex ? scene.outer.pieces : Self.withoutIndex(scene.outer.pieces)
            let middle = pieces[number].bytes.count * 2 / 3
            pieces[number].bytes.removeSubrange(middle..<middle + 5)
            pieces[number].isWhole = false
            try await check(scene, pieces, "chunk \(number)")
        }
    }

    @Test(arguments: Codec.allCases, [true, false])
    func chunksOfAnotherArchiveAreLeftOut(_ codec: Codec, _ hasIndex: Bool) async throws {
        let scene = try await Scene(codec, seed: 6)
        let pieces = hasIndex ? scene.outer.pieces : Self.withoutIndex(scene.outer.pieces)
        for number in scene.other.chunks.indices {
            for place in [1, 3, scene.outer.chunks.count - 1] {
                var changed = pieces
                changed.insert(
                    NestedArchive.Piece(bytes: scene.other.chunks[number].bytes), at: place)
                // Which of two mixed chunks is whose, nobody knows without an index.
                let isExact = hasIndex || scene.other.chunks[number].kind != .mixed
                try await check(
                    scene, changed, isExact: isExact, "chunk \(number) at \(place)")
            }
        }
    }

    @Test(arguments: Codec.allCases)
    func anArchiveBehindAnotherIsLeftAloneAndTold(_ codec: Codec) async throws {
        let scene = try await Scene(codec, seed: 7)
        for hasIndex in [true, false] {
            let pieces = hasIndex ? scene.outer.pieces : Self.withoutIndex(scene.outer.pieces)
            for other in [scene.other.bytes, scene.inner.bytes] {
                let changed = pieces + [NestedArchive.Piece(bytes: other)]
                try await check(scene, changed, "index \(hasIndex)")
            }
        }
        let (report, _) = try await salvage(scene.outer.bytes + scene.other.bytes)
        #expect(report.losses.isEmpty && !report.isComplete)
        #expect(report.ending?.contains("another archive") == true)
        #expect(report.ending?.contains("\(scene.outer.bytes.count)") == true)
    }

    /// At every chunk's boundary, and where an archive that a document holds ends.
    @Test(arguments: Codec.allCases)
    func aCutArchiveGivesBackItsOwn(_ codec: Codec) async throws {
        let scene = try await Scene(codec, seed: 8)
        var cuts: [Int] = []
        var place = 0
        for chunk in scene.outer.chunks {
            if let range = chunk.bytes.firstRange(of: scene.inner.end) {
                cuts.append(place + range.upperBound)
                #expect(codec != .lz4 || chunk.kind == .data)
            }
            place += chunk.bytes.count
            cuts.append(place)
        }
        for cut in cuts where cut > scene.outer.chunks[0].bytes.count {
            var rest = cut
            var pieces: [NestedArchive.Piece] = []
            for piece in scene.outer.pieces where rest > 0 {
                let count = min(rest, piece.bytes.count)
                pieces.append(
                    NestedArchive.Piece(
                        bytes: Array(piece.bytes.prefix(count)), own: piece.own,
                        isWhole: count == piece.bytes.count))
                rest -= count
            }
            try await check(scene, pieces, "cut at \(cut)")
            // The same with the header of the chunk that was cut damaged.
            pieces[pieces.count - 1].bytes[30] ^= 1
            pieces[pieces.count - 1].isWhole = false
            try await check(scene, pieces, "cut at \(cut), and its header damaged")
        }
    }

    /// Archives of Cairn's in an archive of mongodump are documents.
    @Test func anArchiveWithinOneOfMongodumpIsADocument() async throws {
        var random = SeededNumbers(seed: 9)
        let inner = try await NestedArchive.make(
            .lz4, first: 0, chunkCount: 2, holding: [], &random)
        let holder = BSONDocument {
            $0.append("_id", Int32(1))
            $0.append("data", binary: inner.bytes, subtype: 0)
        }
        let bytes = try MadeArchive.mongodump(["shop.files"], [("shop.files", [holder])])
        let (report, documents) = try await salvage(bytes)
        #expect(documents == ["shop.files": [holder]])
        #expect(report.isComplete)
        let (cut, rest) = try await salvage(Array(bytes.dropLast(3)))
        #expect(rest["shop.files"] == [holder])
        #expect(!cut.isComplete)
    }

    // MARK: Random

    /// Faults by the dozen, one seed a round; printed when something is wrong.
    @Test(arguments: Codec.allCases, 0..<15)
    func whateverHappensToTheFile(_ codec: Codec, _ round: Int) async throws {
        let scene = try await Scene(codec, seed: UInt64(round / 8))
        var random = SeededNumbers(seed: UInt64(round) &* 7919 &+ UInt64(codec.rawValue))
        let hasIndex = Bool.random(using: &random)
        var pieces = hasIndex ? scene.outer.pieces : Self.withoutIndex(scene.outer.pieces)
        let end = pieces.removeLast()
        var what: [String] = []
        for _ in 0..<Int.random(in: 1...5, using: &random) {
            let place = Int.random(in: 0..<pieces.count, using: &random)
            let target = Int.random(in: 1...pieces.count, using: &random)
            let kind = Int.random(in: 0..<(hasIndex ? 6 : 5), using: &random)
            what.append("\(kind): \(place) \(target)")
            switch kind {
            case 0, 1:
                guard pieces[place].isWhole else { continue }
                // Header or content; the codec's own frame says the rest.
                let headByteCount = Frame.headByteCount(codec)
                let range =
                    kind == 0
                    ? headByteCount - 60..<headByteCount
                    : pieces[place].bytes.count * 3 / 4..<pieces[place].bytes.count
                let position = Int.random(in: range, using: &random)
                pieces[place].bytes[position] ^= 1 << UInt8.random(in: 0..<8, using: &random)
                pieces[place].isWhole = false
            case 2: pieces.insert(pieces[place], at: target)
            case 3 where place > 0: pieces.remove(at: place)
            case 4 where place > 0:
                pieces.insert(pieces.remove(at: place), at: min(target, pieces.count - 1))
            default:
                let chunks = (target % 2 == 0 ? scene.other : scene.inner).chunks
                let number = Int.random(in: 0..<chunks.count, using: &random)
                pieces.insert(NestedArchive.Piece(bytes: chunks[number].bytes), at: target)
            }
        }
        try await check(
            scene, pieces + [end], isExact: hasIndex, "round \(round), index \(hasIndex), \(what)")
    }

    /// Chunks of the archive inside lie in the file as they are: else this would show nothing.
    @Test(arguments: Codec.allCases)
    func theArchiveInsideIsThereAsItIs(_ codec: Codec) async throws {
        let scene = try await Scene(codec, seed: 0)
        let map = try await FrameMap(
            ByteCollector(scene.outer.bytes), in: [0..<UInt64(scene.outer.bytes.count)])
        let inside = map.frames.count - scene.outer.chunks.count
        #expect(inside > scene.inner.chunks.count)
    }

    /// The checker finds what it is there to find.
    @Test func theCheckerCanFail() async throws {
        let scene = try await Scene(.lz4, seed: 0)
        let all = Set(scene.outer.chunks.indices)
        let expected = NestedArchive.Expectation(isIndexWhole: true, whole: all, isExact: true)
        let right = try await MadeArchive.documents(scene.outer.bytes)
        #expect(scene.outer.faults(right, isComplete: true, expected) == [])
        #expect(scene.outer.faults(right, isComplete: false, expected) != [])
        let foreign = try await MadeArchive.documents(scene.inner.bytes)
        #expect(scene.outer.faults(foreign, isComplete: true, expected) != [])
        var changed = right
        changed["shop.orders"]?.removeLast()
        #expect(scene.outer.faults(changed, isComplete: false, expected) != [])
        changed = right
        changed["shop.orders"]? += right["shop.orders"]?.prefix(1) ?? []
        #expect(scene.outer.faults(changed, isComplete: true, expected) != [])
        changed = right
        changed["shop.orders"]?.reverse()
        #expect(scene.outer.faults(changed, isComplete: true, expected) != [])
        var some = expected
        some.isIndexWhole = false
        #expect(scene.outer.faults(right, isComplete: true, some) != [])
    }
}
