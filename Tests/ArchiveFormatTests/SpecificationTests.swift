import BSONBytes
import Testing

@testable import ArchiveFormat

/// The specification's tables against the code: neither may say what the other does not.
@Suite struct SpecificationTests {
    private let specification: SpecificationTables

    init() throws {
        specification = try SpecificationTables()
    }

    @Test func theConstantsAreThoseOfSection2() throws {
        let table = try #require(specification.table("2.", "name"))
        let stated = Dictionary(uniqueKeysWithValues: table.rows.map { ($0[0], Int($0[1])) })
        #expect(
            stated == [
                "format_version": Int(ChunkHeader.formatVersion),
                "chunk_header_bytes": ChunkHeader.byteCount,
                "index_row_bytes": IndexRow.byteCount,
                "trailer_bytes": ArchiveTrailer.byteCount,
                "key_bytes_max": DocumentKey.byteCountMax,
                "document_bytes_min": BSONLimits.documentByteCountMin,
                "document_bytes_max": BSONLimits.documentByteCountMax,
                "chunk_target_bytes_min": ArchiveLimits.chunkTargetByteCountMin,
                "chunk_target_bytes_default": ArchiveLimits.chunkTargetByteCountDefault,
                "chunk_target_bytes_max": ArchiveLimits.chunkTargetByteCountMax,
                "chunk_raw_bytes_max": ArchiveLimits.chunkRawByteCountMax,
                "chunk_stored_bytes_max": ArchiveLimits.chunkStoredByteCountMax,
                "index_slice_bytes_max": ArchiveLimits.indexSliceByteCountMax,
                "manifest_bytes_max": ArchiveLimits.manifestByteCountMax,
                "description_bytes_max": ArchiveLimits.descriptionByteCountMax,
                "chunk_count_max": ArchiveLimits.chunkCountMax,
                "namespace_count_max": ArchiveLimits.namespaceCountMax,
                "index_stored_bytes_max": ArchiveLimits.indexByteCountMax,
                "concurrent_collections": ArchiveLimits.concurrentCollections,
            ])
        #expect(Manifest.formatVersion == Int(ChunkHeader.formatVersion))
    }

    @Test func theChunkHeaderIsThatOfSection4() throws {
        let header = distinctiveHeader
        let bytes = header.encoded()
        try compare(
            "4.",
            bytes,
            [
                "magic": [0x43, 0x52, 0x4E, 0x43], "version": [1], "kind": [3], "codec": [2],
                "reserved": [0], "sequence": little(header.sequence),
                "namespace_ordinal": little(header.namespaceOrdinal),
                "stored_bytes": little(header.storedByteCount),
                "raw_bytes": little(header.rawByteCount),
                "documents": little(header.documentCount), "blocks": little(header.blockCount),
                "document_bytes": little(header.documentByteCount),
                "document_crc64": little(header.documentCRC64),
                "payload_crc64": little(header.payloadCRC64),
                "header_crc64": little(
                    Array(bytes.prefix(64)).withUnsafeBytes { CRC64.checksum($0) }),
            ])
        #expect(try ChunkHeader(decoding: bytes) == header)
    }

    @Test func theRowIsThatOfSection6() throws {
        let chunk = try oneDocumentChunk()
        var row = IndexRow(
            chunk, offset: 0x0102_0304_0506,
            sha256: try #require(SHA256Digest(bytes: (0..<32).map { 0x80 + $0 })))
        row.blockCount = 0x1122
        row.documentByteCount = 0x0233_4455
        let low = DocumentKey(BSONValue(type: .string, bytes: [2, 0, 0, 0, 0x41, 0]))
        let high = DocumentKey(BSONValue(type: .string, bytes: [3, 0, 0, 0, 0x42, 0x43, 0]))
        row.keys = low...high
        let bytes = row.encoded()
        func padded(_ key: [UInt8]) -> [UInt8] {
            key + [UInt8](repeating: 0, count: 32 - key.count)
        }
        try compare(
            "6.3", bytes,
            [
                "offset": little(row.offset), "stored_bytes": little(row.storedByteCount),
                "raw_bytes": little(row.rawByteCount),
                "document_bytes": little(row.documentByteCount),
                "documents": little(row.documentCount), "blocks": little(row.blockCount),
                "namespace_ordinal": little(row.namespaceOrdinal), "kind": [3],
                "smallest_key_bytes": [2], "largest_key_bytes": [3],
                "document_crc64": little(row.documentCRC64),
                "smallest_key": padded([60, 0x41]), "largest_key": padded([60, 0x42, 0x43]),
                "sha256": row.sha256.bytes,
            ])
        #expect(try IndexRow(decoding: bytes[...]) == row)
    }

    @Test func theTrailerIsThatOfSection6() throws {
        let trailer = ArchiveTrailer(
            indexOffset: 0x0102_0304, indexStoredByteCount: 0x0506_0708,
            manifestByteCount: 0x090A_0B0C, chunkCount: 0x0D0E_0F,
            indexSHA256: try #require(SHA256Digest(bytes: (0..<32).map { 0x80 + $0 })))
        for codec in Codec.allCases {
            let frame = trailer.frame(codec: codec, sequence: 9)
            #expect(frame.count == (codec == .gzip ? 178 : 160))
            let header = try #require(try Frame.header(at: frame[...]))
            let hidden = Array(try Frame.hiddenBytes(of: frame, header: header))
            try compare(
                "6.4", hidden,
                [
                    "magic": [0x43, 0x41, 0x49, 0x52, 0x4E, 0x45, 0x4E, 0x44],
                    "index_offset": little(trailer.indexOffset),
                    "index_stored_bytes": little(trailer.indexStoredByteCount),
                    "manifest_bytes": little(trailer.manifestByteCount),
                    "chunks": little(trailer.chunkCount), "index_sha256": trailer.indexSHA256.bytes,
                ])
            #expect(try ArchiveTrailer(decoding: hidden[...]) == trailer)
        }
    }

    @Test func kindsAndCodecsAreThoseOfSection4() throws {
        let kinds = try #require(specification.table("4.", "kind"))
        #expect(kinds.rows.map { $0[1] } == ChunkKind.allCases.map { "\($0)" })
        #expect(kinds.rows.map { UInt8($0[0]) } == ChunkKind.allCases.map(\.rawValue))
        let codecs = try #require(specification.table("4.", "codec"))
        #expect(codecs.rows.map { $0[1] } == Codec.allCases.map(\.name))
        #expect(codecs.rows.map { UInt8($0[0]) } == Codec.allCases.map(\.rawValue))
    }

    @Test func theKeysOfEveryTypeHaveTheClassOfSection6() throws {
        let table = try #require(specification.table("6.3", "class byte"))
        var stated: [String: UInt8] = [:]
        for row in table.rows {
            for type in row[1].split(separator: ", ") { stated[String(type)] = UInt8(row[0]) }
        }
        let used = Dictionary(
            uniqueKeysWithValues: BSONType.allCases.map {
                (name($0), DocumentKey(value($0)).bytes[0])
            }
        )
        #expect(stated == used)
    }

    @Test func theFieldsOfTheManifestAreThoseOfSection6() throws {
        var manifest = Manifest(
            id: "a", tool: "b", startedAt: 0,
            source: Manifest.Source(hosts: [], serverVersion: "6.0.5", replicaSet: nil),
            consistency: .none, selection: Manifest.Selection(), compression: .standard)
        var entry = Manifest.NamespaceEntry(
            NamespaceDescriptor(namespace: Namespace("a", "b"), type: .collection))
        entry.descriptor.uuid = Array(0..<16)
        entry.chunks = 1...2
        entry.consistency = Manifest.Consistency.none
        manifest.namespaces = [entry]
        manifest.description = "before the move"
        manifest.loss = Manifest.Loss(chunkCount: 1, documentCount: 2, mayBeMore: true)
        let document = manifest.document
        #expect(try Manifest(document) == manifest)
        #expect(try names(document) == fields(try #require(specification.table("6.2", "field"))))
        let first = try #require(try document.first("namespaces")?.array()?.first?.document)
        #expect(
            try names(first)
                == fields(try #require(specification.table("6.2", "field of a namespace"))))
    }

    // MARK: Comparing

    /// Every field of the section's layout has its value at its offset, and no byte has no field.
    private func compare(
        _ section: String, _ bytes: [UInt8], _ values: [String: [UInt8]]
    ) throws {
        let table = try #require(specification.table(section, "offset"))
        var end = 0
        var names: Set<String> = []
        for row in table.rows {
            let (offset, count) = (try #require(Int(row[0])), try #require(Int(row[1])))
            #expect(offset == end, "\(row[2]) follows the field in front of it")
            end = offset + count
            let value = values[row[2]] ?? [UInt8](repeating: 0, count: count)
            #expect(row[2] == "reserved" || values[row[2]] != nil, "\(row[2]) is no field of ours")
            try #require(end <= bytes.count)
            #expect(Array(bytes[offset..<end]) == value, "\(row[2])")
            names.insert(row[2])
        }
        #expect(end == bytes.count)
        #expect(names.isSuperset(of: values.keys))
    }

    private func fields(_ table: SpecificationTables.Table) -> [String] {
        table.rows.flatMap { row in
            row[0].split(separator: ",").map { name in String(name.filter { !" `".contains($0) }) }
        }
    }

    private func names(_ document: BSONDocument) throws -> [String] {
        try document.elements().map(\.name)
    }

    private func little(_ value: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: value.littleEndian) { Array($0) }
    }

    private var distinctiveHeader: ChunkHeader {
        var header = ChunkHeader(
            kind: .data, codec: .zstd, sequence: 0x0102_0304, namespaceOrdinal: 0x0506_0708)
        header.storedByteCount = 0x03FF_1122
        header.rawByteCount = 0x03FE_3344
        header.documentCount = 0x0001_5566
        header.blockCount = 0x0002_7788
        header.documentByteCount = 0x03FD_99AA
        header.documentCRC64 = 0xB0B1_B2B3_B4B5_B6B7
        header.payloadCRC64 = 0xC0C1_C2C3_C4C5_C6C7
        return header
    }

    private func oneDocumentChunk() throws -> EncodedChunk {
        var builder = RawChunkBuilder(.data, namespaceOrdinal: 0x0A0B, capacityByteCount: 1 << 10)
        builder.beginBlock(Namespace("shop", "orders"), ordinal: 0x0A0B)
        BSONDocument { $0.append("_id", Int32(1)) }.bytes.withUnsafeBytes { builder.append($0) }
        builder.endBlock()
        return try EncodedChunk(builder.finished(), sequence: 5, compression: .standard)
    }

    /// What the specification calls a type.
    private func name(_ type: BSONType) -> String {
        switch type {
        case .minKey: "MinKey"
        case .maxKey: "MaxKey"
        case .objectID: "ObjectId"
        case .regularExpression: "regular expression"
        case .dbPointer: "DBPointer"
        case .javaScript: "JavaScript"
        case .javaScriptWithScope: "JavaScript with scope"
        default: "\(type)"
        }
    }

    /// A value of each type whose key can be made: sixteen zero bytes are long enough for all.
    private func value(_ type: BSONType) -> BSONValue {
        let isText = type == .string || type == .symbol
        let bytes: [UInt8] = isText ? [1, 0, 0, 0, 0] : [UInt8](repeating: 0, count: 16)
        return BSONValue(type: type, bytes: bytes[...])
    }
}
