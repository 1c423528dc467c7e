import ArchiveFormat
import BSONBytes
import Testing

@Suite struct RawChunkTests {
    private let namespace = Namespace("shop", "orders")

    private func chunk(_ documents: [BSONDocument]) -> RawChunk {
        var builder = RawChunkBuilder(.data, namespaceOrdinal: 3, capacityByteCount: 1 << 10)
        builder.beginBlock(namespace, ordinal: 3)
        for document in documents { document.bytes.withUnsafeBytes { builder.append($0) } }
        builder.endBlock()
        return builder.finished()
    }

    @Test func anEncodedChunkDecodesToTheSameBlocksWithCodecsOfEveryKind() throws {
        let documents = (0..<50).map { number in
            BSONDocument { $0.append("_id", Int32(number)) }
        }
        for codec in Codec.allCases {
            let encoded = try EncodedChunk(
                chunk(documents), sequence: 7, compression: Compression(codec))
            let header = try #require(try Frame.header(at: encoded.stored[...]))
            #expect(header == encoded.header)
            let decoded = try DecodedChunk(stored: encoded.stored, header: header)
            #expect(decoded.blocks.map(\.totals.documentCount) == [50])
            #expect(decoded.bytes[decoded.blocks[0].documents] == documents.flatMap(\.bytes)[...])
        }
    }

    @Test func keysAreTheSmallestAndLargestWhateverTheOrder() throws {
        let documents = [5, -3, 9].map { number in
            BSONDocument { $0.append("_id", Int32(number)) }
        }
        let keys = try #require(
            try EncodedChunk(chunk(documents), sequence: 0, compression: .standard).keys)
        #expect(keys.lowerBound == DocumentKey(try documents[1].require("_id") { $0 }))
        #expect(keys.upperBound == DocumentKey(try documents[2].require("_id") { $0 }))
    }

    @Test func aDocumentWithoutAnIDLeavesTheRangeOpen() throws {
        let documents = [BSONDocument { $0.append("a", Int32(1)) }]
        let encoded = try EncodedChunk(chunk(documents), sequence: 0, compression: .standard)
        #expect(encoded.keys == nil)
    }

    @Test func incompressibleBytesAreStoredWithEveryLevel() throws {
        var state: UInt64 = 1
        let noise = (0..<300_000).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return UInt8(truncatingIfNeeded: state >> 33)
        }
        let document = BSONDocument { $0.append("noise", binary: noise, subtype: 0) }
        for codec in Codec.allCases {
            for level in codec.levels {
                let encoded = try EncodedChunk(
                    chunk([document]), sequence: 0,
                    compression: Compression(codec, level: level))
                let decoded = try DecodedChunk(stored: encoded.stored, header: encoded.header)
                #expect(decoded.bytes == chunk([document]).bytes)
            }
        }
    }

    @Test func levelsThatACodecDoesNotHaveAreRefused() {
        #expect(throws: ArchiveError.self) { try Compression(.gzip, level: 13) }
        #expect(throws: ArchiveError.self) { try Compression(.zstd, level: 0) }
        #expect(throws: ArchiveError.self) { try Compression(.lz4, level: 20) }
    }
}
