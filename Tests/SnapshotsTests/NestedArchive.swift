import ArchiveEngine
import ArchiveFormat
import BSONBytes
import ObjectStorage
import Testing

@testable import Snapshots

/// An archive whose documents hold archives of the same database, and what may happen to its file.
struct NestedArchive {
    /// A run of bytes of a file, as a unit that may be copied, moved or damaged.
    struct Piece {
        var bytes: [UInt8]
        /// Which of the archive's own chunks it is; nil for anything else.
        var own: Int?
        /// Whether it is as it was.
        var isWhole = true
    }

    /// A chunk of the archive and the documents in it, by their collections.
    struct Chunk {
        var bytes: [UInt8]
        var kind: ChunkKind
        var documents: [(name: String, document: BSONDocument)]
    }

    let codec: Codec
    let chunks: [Chunk]
    /// Index and trailer.
    let end: [UInt8]
    let bytes: [UInt8]

    static let names = [
        "admin.system.users", "shop.orders", "shop.files", "shop.items", "shop.tiny",
    ]

    /// - Parameter first: what identifiers count from.
    static func make(
        _ codec: Codec, first: Int, chunkCount: Int, holding inner: [[UInt8]],
        _ random: inout some RandomNumberGenerator
    ) async throws -> NestedArchive {
        var next = first
        func documents(_ count: Int) -> [BSONDocument] {
            (0..<count).map { _ in
                next += 1
                let noise = (0..<300).map { _ in UInt8.random(in: 0 ... .max, using: &random) }
                return BSONDocument {
                    $0.append("_id", Int32(next))
                    $0.append("noise", binary: noise, subtype: 0)
                }
            }
        }
        let files = inner.map { bytes in
            next += 1
            return BSONDocument {
                $0.append("_id", Int32(next))
                $0.append("data", binary: bytes, subtype: 0)
            }
        }
        let parts = [
            MadeArchive.Part(names[0], [documents(1)]),
            MadeArchive.Part(names[1], (0..<chunkCount).map { _ in documents(2) }),
            MadeArchive.Part(names[2], files.isEmpty ? [documents(1)] : files.map { [$0] }),
            MadeArchive.Part(names[3], [documents(1), documents(1)]),
            MadeArchive.Part(names[4], [documents(2)], isMixed: true),
        ]
        let bytes = try await MadeArchive.cairn(parts, try Compression(codec, level: 1))
        return try await NestedArchive(StoredFrames.archive(bytes, codec), codec)
    }

    init(_ bytes: [UInt8], _ codec: Codec) async throws {
        self.codec = codec
        self.bytes = bytes
        let reader = try await IndexedArchiveReader(ByteCollector(bytes))
        var chunks: [Chunk] = []
        for (sequence, row) in reader.index.rows.enumerated() {
            let range = Int(row.offset)..<Int(row.offset + row.storedByteCount)
            let chunk = try await reader.chunks.read(UInt32(sequence)).decoded()
            var documents: [(String, BSONDocument)] = []
            for block in chunk.blocks {
                let name = block.header.namespace.description
                for document in try DocumentRun.split(chunk.bytes[block.documents]) {
                    documents.append((name, try BSONDocument(validating: Array(document))))
                }
            }
            chunks.append(
                Chunk(bytes: Array(bytes[range]), kind: row.kind, documents: documents))
        }
        self.chunks = chunks
        end = Array(bytes[chunks.reduce(0) { $0 + $1.bytes.count }...])
    }

    /// The file, piece by piece; the last is index and trailer.
    var pieces: [Piece] {
        chunks.enumerated().map { Piece(bytes: $1.bytes, own: $0) } + [Piece(bytes: end)]
    }

    /// What a salvage of a file must find.
    struct Expectation {
        var isIndexWhole: Bool
        /// Own chunks that are whole somewhere in the file.
        var whole: Set<Int>
        /// Whether nothing else is to be found missing.
        var isExact: Bool
    }

    /// What is wrong with what was found; empty when nothing is.
    func faults(
        _ found: [String: [BSONDocument]], isComplete: Bool, _ expected: Expectation
    ) -> [String] {
        var faults: [String] = []
        for (name, documents) in found {
            let own = chunks.flatMap(\.documents).filter { $0.name == name }.map(\.document)
            let rest = documents.filter { !own.contains($0) }
            if !rest.isEmpty { faults.append("\(name): \(rest.count) of another archive") }
            if Set(documents).count != documents.count { faults.append("\(name): some twice") }
            let order = documents.compactMap { own.firstIndex(of: $0) }
            if order != order.sorted() { faults.append("\(name): not in order") }
        }
        for number in expected.whole.sorted() {
            let missing = chunks[number].documents.filter { name, document in
                found[name]?.contains(document) != true
            }
            if expected.isExact, !missing.isEmpty {
                faults.append("chunk \(number): \(missing.count) documents missing")
            }
        }
        // A prelude and ends that are gone are made anew; that they were is told all the same.
        let isAll = expected.whole.count == chunks.count
        if isComplete, !expected.isIndexWhole { faults.append("complete without an index") }
        let hasAll = chunks.indices.allSatisfy { number in
            chunks[number].documents.allSatisfy { found[$0.name]?.contains($0.document) == true }
        }
        if isComplete, !hasAll { faults.append("complete, and something is missing") }
        if !isComplete, isAll, expected.isIndexWhole { faults.append("not complete, but it is") }
        return faults
    }
}

/// The same numbers for the same seed (SplitMix64).
struct SeededNumbers: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = (state ^ state >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return value ^ value >> 31
    }
}
