import ArchiveEngine
import ArchiveFormat
import BSONBytes
import Testing

/// Folders of mongodump's, read like archives.
@Suite struct DumpReaderTests {
    static func documents(_ numbers: Range<Int>, byteCount: Int = 60) -> [BSONDocument] {
        numbers.map { number in
            BSONDocument {
                $0.append("_id", Int32(number))
                $0.append("text", String(repeating: "x", count: max(0, byteCount - 30)))
            }
        }
    }

    static func bytes(_ documents: [BSONDocument]) -> [UInt8] { documents.flatMap(\.bytes) }

    static func text(_ text: String) -> [UInt8] { Array(text.utf8) }

    /// What a dump holds, when all of it is read and checked.
    static func read(
        _ files: MemoryDump, _ target: DumpTarget = .folder(name: "dump"),
        selecting: Set<UInt32>? = nil
    ) async throws -> (reader: DumpReader, found: [(name: String, documents: [UInt8])]) {
        let reader = try await DumpReader(target, in: files)
        if let selecting { reader.select(selecting) }
        var ledger = ArchiveLedger(reader.prelude)
        var found: [(name: String, documents: [UInt8])] = []
        while let pending = try await reader.next() {
            let chunk = try pending.decoded()
            try ledger.enter(chunk)
            for block in chunk.blocks {
                let name = block.header.namespace.description
                if found.last?.name != name { found.append((name, [])) }
                found[found.count - 1].documents += chunk.bytes[block.documents]
            }
        }
        try ledger.close(manifest: nil, selected: selecting)
        return (reader, found)
    }

    @Test func aWholeDumpIsReadInTheOrderOfAnArchive() async throws {
        let (orders, users) = (Self.bytes(Self.documents(0..<5000)), Self.documents(0..<3))
        let dump = MemoryDump([
            "prelude.json": Self.text(#"{"ServerVersion":"6.0.5","ToolVersion":"100.18.0"}"#),
            "oplog.bson": Self.bytes(Self.documents(0..<7)),
            "admin/system.version.bson": Self.bytes(Self.documents(0..<1)),
            "admin/system.users.bson.gz": Gzip.stored(Self.bytes(users)),
            "shop/orders.bson": orders,
            "shop/orders.metadata.json.gz": Gzip.stored(
                Self.text(#"{"options":{"capped":true},"indexes":[{"name":"a_1"}]}"#)),
            "shop/empty.metadata.json": [], "shop/empty.bson": [],
            "shop/v.metadata.json": Self.text(#"{"options":{"viewOn":"orders"},"indexes":[]}"#),
            "shop/t.metadata.json": Self.text(
                #"{"options":{"timeseries":{"timeField":"t"}},"type":"timeseries"}"#),
            "shop/system.buckets.t.bson": Self.bytes(Self.documents(0..<2)),
            "shop/%24admin.system.users.bson": Self.bytes(users),
        ])
        let (reader, found) = try await Self.read(dump)
        #expect(
            found.map(\.name) == [
                "admin.system.users", "admin.system.version", "shop.$admin.system.users",
                "shop.empty", "shop.orders", "shop.system.buckets.t", "shop.v", ".oplog",
            ])
        #expect(found[0].documents == Self.bytes(users) && found[4].documents == orders)
        #expect(found[7].documents == Self.bytes(Self.documents(0..<7)))
        let descriptors = reader.prelude.namespaces
        #expect(
            descriptors.map(\.type) == [
                .collection, .collection, .special, .collection, .collection, .timeseries, .view,
                .special,
            ])
        #expect(try descriptors[4].options.first("capped")?.bool == true)
        #expect(descriptors[4].indexes.count == 1)
        #expect(descriptors[5].namespace.collection == "t")
        #expect(reader.prelude.serverVersion == "6.0.5" && reader.notes == [])
        // One collection alone: no other file is opened.
        let opened = dump.openedCount
        let (_, one) = try await Self.read(dump, selecting: [4])
        #expect(one.map(\.name) == ["shop.orders"])
        #expect(dump.openedCount == opened + 6)
    }

    @Test func theFolderOfADatabaseAndAFileAreDumpsToo() async throws {
        let files = [
            "orders.bson": Self.bytes(Self.documents(0..<3)),
            "orders.metadata.json": Self.text(#"{"indexes":[{"name":"a_1"}]}"#),
            "oplog.bson": Self.bytes(Self.documents(0..<1)), "oplog.metadata.json": [],
            "other.bson": [1, 2, 3],
        ]
        let whole = MemoryDump(files.filter { $0.key != "other.bson" })
        let (_, found) = try await Self.read(whole, .folder(name: "shop"))
        #expect(found.map(\.name) == ["shop.oplog", "shop.orders"])
        let (reader, one) = try await Self.read(
            MemoryDump(files), .file("orders.bson", database: "shop"))
        #expect(one.map(\.name) == ["shop.orders"])
        #expect(reader.prelude.namespaces.first?.indexes.count == 1)
        // An oplog alone is that of a whole dump.
        let oplog = MemoryDump(["oplog.bson": Self.bytes(Self.documents(0..<1))])
        #expect(try await Self.read(oplog).found.map(\.name) == [".oplog"])
    }

    @Test func namesAreThoseThatMongodumpEscaped() async throws {
        let long = String(repeating: "long name/", count: 22)
        let cut = String(repeating: "long+name%2F", count: 20).prefix(208)
        let stem = cut + "%24" + String(repeating: "h", count: 27)
        #expect(stem.utf8.count == 238)
        let dump = MemoryDump([
            "db/a%2Fb.bson": [], "db/100%25.bson": [], "db/caf%C3%A9s+x.bson": [],
            "db/new%0Aline.BSON": [], "db/x.metadata.json.bson": [], "db/old.bin": [],
            "db/\(stem).bson": Self.bytes(Self.documents(0..<2)),
            "db/\(stem).metadata.json": Self.text(
                "{\"collectionName\":\"\(long)\",\"indexes\":[]}"),
        ])
        let names = try await Self.read(dump).found.map(\.name)
        #expect(
            Set(names) == [
                "db.a/b", "db.100%", "db.cafés x", "db.new\nline", "db.x.metadata.json", "db.old",
                "db." + long,
            ])
        // The buckets of a time series have a longer name than what tells it.
        let series = String(repeating: "s", count: 230)
        let buckets = ("system.buckets." + series).prefix(208) + "%24" + stem.suffix(27)
        let cutBuckets = MemoryDump([
            "db/\(series).metadata.json": Self.text(
                "{\"options\":{\"timeseries\":{}},\"collectionName\":\"\(series)\"}"),
            "db/\(buckets).bson": [],
        ])
        #expect(
            try await Self.read(cutBuckets).found.map(\.name) == ["db.system.buckets." + series])
    }

    @Test func indexesOfOldServersAreFoundInTheirCollection() async throws {
        func index(_ namespace: String, _ name: String) -> BSONDocument {
            BSONDocument {
                $0.append("ns", namespace)
                $0.append("name", name)
            }
        }
        let indexes = Self.bytes([
            index("x.a", "one"), index("x.b.c", "two"), index("x.a", "three"),
        ])
        var files = ["db/a.bson": [UInt8](), "db/b.c.bson": [], "db/system.indexes.bson": indexes]
        let reader = try await Self.read(MemoryDump(files)).reader
        #expect(reader.prelude.namespaces.map(\.indexes.count) == [2, 1])
        // Metadata counts more, wherever there is some.
        files["db/a.metadata.json"] = Self.text(#"{"indexes":[]}"#)
        let newer = try await Self.read(MemoryDump(files)).reader
        #expect(newer.prelude.namespaces.map(\.indexes.count) == [0, 0])
    }

    @Test func whatIsNotADumpsIsIgnoredWithANote() async throws {
        let dump = MemoryDump([
            "shop/a.bson": [], "shop/.a.bson.swp": [1], "shop/._a.bson": [1], "shop/README": [1],
            "shop/sub/b.bson": [1], "notes.txt": [1], "loose.bson": [1], "images/x.png": [1],
            ".git/config": [1],
        ])
        dump.unusable["shop/pipe"] = "it is a named pipe"
        let (reader, found) = try await Self.read(dump)
        #expect(found.map(\.name) == ["shop.a"])
        #expect(reader.notes.count == 8, "\(reader.notes)")
        for name in ["shop/README", "shop/sub", "notes.txt", "loose.bson", "images", "shop/pipe"] {
            #expect(reader.notes.contains { $0.contains("ignored \(name):") }, "\(name)")
        }
        let many = MemoryDump(
            Dictionary(
                uniqueKeysWithValues: (0..<5000).map { ("shop/f\($0)", []) } + [("shop/a.bson", [])]
            ))
        #expect(try await Self.read(many).reader.notes.last == "and ignored 4980 others")
    }

    @Test(
        arguments: [
            (["shop/a.bson": [UInt8]([9, 0, 0, 0])], "shop/a.bson"),
            (["shop/a.bson": [5, 0, 0, 0, 0, 4, 0, 0, 0]], "shop/a.bson"),
            (["shop/a.bson": [5, 0, 0, 0, 1]], "shop/a.bson"),
            (["shop/a.bson": [255, 255, 255, 255]], "shop/a.bson"),
            (["shop/a.bson.gz": []], "shop/a.bson.gz"),
            (
                ["shop/a.bson.gz": Array(Gzip.stored([5, 0, 0, 0, 0]).dropLast(3))],
                "shop/a.bson.gz"
            ),
            (["shop/a.bson": [], "shop/a.bson.gz": Gzip.stored([])], "shop/a.bson"),
            (["shop/a.bson": [], "shop/a.BSON": []], "shop/a.BSON"),
            (["shop/a%2Fb.bson": [], "shop/a%2fb.bson": []], "shop/a%2fb.bson"),
            (["shop/a.bson": [], "shop/a.metadata.json": [123]], "shop/a.metadata.json"),
            (["shop/a.metadata.json": [], "shop/a.metadata.json.gz": Gzip.stored([])], "metadata"),
            (["shop/100%.bson": []], "shop/100%.bson"), (["shop/a%00.bson": []], "shop/a%00.bson"),
            (["shop/a%FF.bson": []], "shop/a%FF.bson"),
            (["shop/system.buckets.t.bson": []], "shop/system.buckets.t.bson"),
            (["shop/a.bson": [], "prelude.json": [123]], "prelude.json"),
            (
                [
                    "shop/" + String(repeating: "a", count: 208) + "%24"
                        + String(repeating: "h", count: 27) + ".bson": []
                ],
                "truncated"
            ),
            ([:], "no dump"), (["a.txt": [1]], "no dump"), (["archive.gz": [1]], "archive.gz"),
            (["shop/a.txt": [1]], "no dump"),
        ] as [([String: [UInt8]], String)])
    func whatCantBeReadIsAnErrorThatNamesIt(
        _ files: [String: [UInt8]], _ name: String
    ) async throws {
        let error = await #expect(throws: ArchiveError.self) {
            _ = try await Self.read(MemoryDump(files))
        }
        #expect(error?.description.contains(name) ?? false, "\(String(describing: error))")
    }

    @Test func whatIsNamedLikeADumpsFileMustBeOne() async throws {
        for reason in ["it is a named pipe", "No such file or directory"] {
            let dump = MemoryDump(["shop/a.bson": []])
            dump.unusable["shop/b.bson"] = reason
            let error = await #expect(throws: ArchiveError.self) { _ = try await Self.read(dump) }
            #expect(error?.description.contains("shop/b.bson") ?? false)
            #expect(error?.description.contains(reason) ?? false)
        }
    }

    @Test(arguments: [559_902, 559_903, 559_904])
    func aDocumentThatBeginsLikeGzipIsADocument(_ byteCount: Int) async throws {
        let padding = byteCount - Self.documents(0..<1, byteCount: 30)[0].bytes.count
        let document = BSONDocument {
            $0.append("_id", Int32(0))
            $0.append("text", String(repeating: "x", count: padding))
        }
        #expect(document.bytes.count == byteCount)
        let plain = document.bytes
        for (name, content) in [("a.bson", plain), ("a.bson.gz", Gzip.stored(plain))] {
            let found = try await Self.read(MemoryDump(["shop/" + name: content])).found
            #expect(found.first?.documents == plain)
        }
        // gzip is known by its bytes, whatever its name.
        let misnamed = MemoryDump(["shop/a.bson": Gzip.stored(plain)])
        #expect(try await Self.read(misnamed).found.first?.documents == plain)
        let plainWithSuffix = MemoryDump(["shop/a.bson.gz": Self.bytes(Self.documents(0..<3))])
        #expect(
            try await Self.read(plainWithSuffix).found.first?.documents
                == Self.bytes(Self.documents(0..<3)))
    }

    @Test func everyCutIsFoundButOneBetweenDocuments() async throws {
        let documents = Self.documents(0..<4, byteCount: 40)
        let whole = Self.bytes(documents)
        let ends = documents.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1.bytes.count) }
        for count in 0..<whole.count {
            let dump = MemoryDump(["shop/a.bson": Array(whole.prefix(count))])
            if ends.contains(count) {
                #expect(try await Self.read(dump).found.first?.documents.count == count)
                continue
            }
            let error = await #expect(throws: ArchiveError.self) { _ = try await Self.read(dump) }
            #expect(error?.code == .truncated || error?.code == .malformed)
            #expect(error?.offset == UInt64(ends.last { $0 <= count } ?? 0))
        }
        let stored = Gzip.stored(whole)
        for count in 1..<stored.count {
            let dump = MemoryDump(["shop/a.bson.gz": Array(stored.prefix(count))])
            await #expect(throws: ArchiveError.self) { _ = try await Self.read(dump) }
        }
    }

    @Test func documentsAreLookedIntoForNothingElseTells() async throws {
        let documents = Self.documents(0..<40, byteCount: 80)
        var whole = Self.bytes(documents)
        // The length of a string in the 30th: one more than there is.
        let start = Self.bytes(Array(documents.prefix(29))).count
        let place = start + 4 + 9 + 1 + 5
        whole[place] = 200
        let error = await #expect(throws: ArchiveError.self) {
            _ = try await Self.read(MemoryDump(["shop/a.bson": whole]))
        }
        #expect(error?.code == .malformed && error?.offset == UInt64(start))
        #expect(error?.description.contains("shop/a.bson") ?? false)
        await #expect(throws: ArchiveError.self) {
            _ = try await Self.read(MemoryDump(["shop/a.bson.gz": Gzip.stored(whole)]))
        }
    }

    @Test func damagedDumpsAreErrorsOrDocuments() async throws {
        let seed = UInt64.random(in: 0 ... .max)
        print("seed \(seed)")
        var random = Steps(state: seed)
        let original: [String: [UInt8]] = [
            "prelude.json": Self.text(#"{"ServerVersion":"6.0.5"}"#),
            "shop/a.bson": Self.bytes(Self.documents(0..<20)),
            "shop/a.metadata.json": Self.text(#"{"options":{},"indexes":[{"v":2,"key":{"a":1}}]}"#),
            "shop/b.bson.gz": Gzip.stored(Self.bytes(Self.documents(0..<20))),
            "shop/system.buckets.t.bson": Self.bytes(Self.documents(0..<2)),
            "shop/t.metadata.json": Self.text(#"{"type":"timeseries","collectionName":"t"}"#),
        ]
        for _ in 0..<2000 {
            var files = original
            let names = files.keys.sorted()
            for _ in 0...random.next(3) {
                let name = names[random.next(names.count)]
                guard var content = files[name], !content.isEmpty else { continue }
                content[random.next(content.count)] = UInt8(random.next(256))
                if random.next(4) == 0 { content.removeLast(random.next(content.count)) }
                files[name] = nil
                var path = Array(name.utf8)
                if random.next(4) == 0 { path[random.next(path.count)] = UInt8(random.next(256)) }
                files[String(decoding: path, as: UTF8.self)] = content
            }
            do { _ = try await Self.read(MemoryDump(files)) } catch is ArchiveError {}
        }
    }
}

/// The files of a dump in memory.
///
/// Unchecked: used by one test, one call after the other.
final class MemoryDump: DumpFiles, @unchecked Sendable {
    private let files: [String: [UInt8]]
    var unusable: [String: String] = [:]
    private(set) var openedCount = 0

    init(_ files: [String: [UInt8]]) {
        self.files = files
    }

    func entries(of folder: [String]) async throws -> [DumpEntry] {
        let prefix = folder.map { $0 + "/" }.joined()
        var entries: [String: DumpEntry] = [:]
        for path in Array(files.keys) + Array(unusable.keys) where path.hasPrefix(prefix) {
            let parts = path.dropFirst(prefix.count).split(separator: "/")
            guard let name = parts.first.map(String.init) else { continue }
            if parts.count > 1 {
                entries[name] = DumpEntry(name, .folder)
            } else if let reason = unusable[path] {
                entries[name] = DumpEntry(name, .unusable(reason))
            } else {
                entries[name] = DumpEntry(
                    name, .file, byteCount: UInt64(files[path]?.count ?? 0))
            }
        }
        return entries.values.sorted { $0.name < $1.name }
    }

    func open(_ path: [String]) async throws -> any ArchiveEngine.ByteSource {
        openedCount += 1
        guard let content = files[path.joined(separator: "/")] else {
            throw ArchiveError(.truncated, "there is no file \(path)")
        }
        return MemoryBytes(content: content)
    }
}

private struct MemoryBytes: ArchiveEngine.ByteSource {
    let content: [UInt8]
    var byteCount: UInt64 { UInt64(content.count) }

    func read(at offset: UInt64, count: Int) async throws -> [UInt8] {
        Array(content[Int(offset)..<Int(offset) + count])
    }
}

/// Numbers that a seed decides.
private struct Steps {
    var state: UInt64

    mutating func next(_ limit: Int) -> Int {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int(state >> 33) % limit
    }
}

/// A gzip file as any program may write one: here without compression.
enum Gzip {
    static func stored(_ content: [UInt8]) -> [UInt8] {
        var file: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255]
        var rest = content[...]
        repeat {
            let piece = rest.prefix(65_535)
            rest = rest.dropFirst(piece.count)
            let count = UInt16(piece.count)
            file.append(rest.isEmpty ? 1 : 0)
            file += [
                UInt8(count & 255), UInt8(count >> 8), UInt8(~count & 255), UInt8(~count >> 8),
            ]
            file += piece
        } while !rest.isEmpty
        for value in [crc32(content), UInt32(truncatingIfNeeded: content.count)] {
            file += (0..<4).map { UInt8(value >> (8 * $0) & 255) }
        }
        return file
    }

    private static func crc32(_ content: [UInt8]) -> UInt32 {
        var crc: UInt32 = .max
        for byte in content {
            crc ^= UInt32(byte)
            for _ in 0..<8 { crc = crc >> 1 ^ (crc & 1 == 1 ? 0xEDB8_8320 : 0) }
        }
        return ~crc
    }
}
