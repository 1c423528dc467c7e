import ArchiveEngine
import ArchiveFormat
import BSONBytes
import Foundation
import ObjectStorage
import Snapshots
import Synchronization
import Testing

/// A store that counts what is opened.
struct CountingStore: ObjectStore {
    final class Counts: Sendable {
        private let opened = Mutex(0)

        /// How often an object or a mark was opened since the last time.
        func taken() -> Int {
            opened.withLock {
                let count = $0
                $0 = 0
                return count
            }
        }

        func add() { opened.withLock { $0 += 1 } }
    }

    let store: FileSystemStore
    let counts = Counts()
    /// What writing a mark ends with; nil for nothing.
    var refusal: ObjectStorageError?

    init(store: FileSystemStore, refusal: ObjectStorageError? = nil) {
        self.store = store
        self.refusal = refusal
    }

    func list() async throws -> [StoredObject] { try await store.list() }
    func strays() async throws -> [StrayEntry] { try await store.strays() }

    func withUpload<Result>(
        key: String, _ body: (any ObjectUpload) async throws -> Result
    ) async throws -> Result {
        try await store.withUpload(key: key, body)
    }

    func openReader(key: String) async throws -> any ObjectReader {
        counts.add()
        return try await store.openReader(key: key)
    }

    func delete(key: String) async throws { try await store.delete(key: key) }

    func marks(_ kind: MarkKind) async throws -> [StoredObject] { try await store.marks(kind) }

    func readMark(_ name: String, _ kind: MarkKind) async throws -> [UInt8]? {
        counts.add()
        return try await store.readMark(name, kind)
    }

    func writeMark(_ bytes: [UInt8], _ name: String, _ kind: MarkKind) async throws {
        if let refusal { throw refusal }
        try await store.writeMark(bytes, name, kind)
    }

    func appendToMark(_ bytes: [UInt8], _ name: String, _ kind: MarkKind) async throws {
        try await store.appendToMark(bytes, name, kind)
    }

    func touchMark(_ name: String, _ kind: MarkKind) async throws {
        try await store.touchMark(name, kind)
    }

    func removeMark(_ name: String, _ kind: MarkKind) async throws {
        try await store.removeMark(name, kind)
    }

    func space() async throws -> StorageSpace? { try await store.space() }
}

/// A repository of archives that were made without a server.
struct MadeRepository {
    let folder: TemporaryFolder
    let store: FileSystemStore
    let counting: CountingStore
    let catalog: SnapshotCatalog

    init() async throws {
        folder = try TemporaryFolder()
        store = try await FileSystemStore(folder: folder.path, create: true)
        counting = CountingStore(store: store)
        catalog = SnapshotCatalog(counting)
    }

    /// Puts a snapshot there.
    @discardableResult
    func add(_ day: Int, kind: String = "manual", documentCount: Int32 = 3) async throws
        -> SnapshotID
    {
        let moment = Int64(day) * 86_400_000
        let id = SnapshotID(milliseconds: moment, kind: kind, random: UInt64(day))
        let bytes = try await MadeArchive.cairn(
            [.init("a.b", [(0..<documentCount).map { document($0) }])], startedAt: moment)
        _ = try folder.file("\(id).archive.gz", bytes)
        return id
    }

    /// Says that a snapshot was verified, `error` being what was wrong.
    func verify(_ id: SnapshotID, at moment: Int64 = 0, error: String? = nil) async throws {
        let seal = try await catalog.open(id).seal
        try await catalog.record(
            Verification(at: moment, seal: seal, seconds: 1.5, error: error), for: id)
    }
}

@Suite struct OverviewTests {
    @Test func aWarmListingOpensNothing() async throws {
        let repository = try await MadeRepository()
        for day in 1...20 { try await repository.add(day) }
        let id = try await repository.add(21)
        try await repository.verify(id, at: 7000)
        _ = try repository.folder.file(
            "\(SnapshotID(milliseconds: 0, kind: "x", random: 1)).archive.gz", [1, 2])
        _ = repository.counting.counts.taken()
        let cold = try await repository.catalog.overviews()
        #expect(repository.counting.counts.taken() == 23)
        let warm = try await repository.catalog.overviews()
        #expect(repository.counting.counts.taken() == 0)
        #expect(warm == cold)
        #expect(cold.map(\.id) == cold.map(\.id).sorted())
        #expect(cold.first?.isDamaged == true && cold.first?.error != nil)
        let last = try #require(cold.last)
        #expect(last.id == id && last.facts?.documentCount == 3 && last.facts?.namespaceCount == 1)
        #expect(last.verification?.at == 7000 && last.isVerified)
        #expect(try await repository.catalog.manifest(of: id).documentCount == 3)
        #expect(try await repository.catalog.open(id).seal == last.facts?.seal)
    }

    @Test func whatWasReplacedDeletedOrAddedIsNoticed() async throws {
        let repository = try await MadeRepository()
        let first = try await repository.add(1)
        let second = try await repository.add(2)
        try await repository.verify(first)
        #expect(try await repository.catalog.overviews().map(\.isVerified) == [true, false])
        // Another archive of the same name: the verification was not of this one.
        _ = try FileManager.default.removeItem(
            atPath: repository.folder.path + "/\(first).archive.gz")
        try await repository.add(1, documentCount: 4)
        let overviews = try await repository.catalog.overviews()
        #expect(overviews.map(\.facts?.documentCount) == [4, 3])
        #expect(overviews.map(\.verification) == [nil, nil])
        try await repository.verify(second, error: "a chunk is damaged")
        #expect(try await repository.catalog.overviews().map(\.isDamaged) == [false, true])
        try await repository.verify(second)
        #expect(try await repository.catalog.overviews().map(\.isDamaged) == [false, false])
        try FileManager.default.removeItem(
            atPath: repository.folder.path + "/\(second).archive.gz")
        let third = try await repository.add(3)
        #expect(try await repository.catalog.overviews().map(\.id) == [first, third])
        await #expect(throws: SnapshotError.self) {
            try await repository.catalog.overview(of: second)
        }
    }

    @Test func aThousandAreListedQuicklyOnceTheyAreKnown() async throws {
        let repository = try await MadeRepository()
        let id = try await repository.add(1)
        let bytes = try Data(
            contentsOf: URL(filePath: repository.folder.path + "/\(id).archive.gz"))
        for number in 2...1000 {
            let copy = SnapshotID(
                milliseconds: Int64(number) * 1_000_000, kind: "manual", random: UInt64(number))
            try bytes.write(to: URL(filePath: repository.folder.path + "/\(copy).archive.gz"))
        }
        _ = try await repository.catalog.overviews()
        _ = repository.counting.counts.taken()
        let clock = ContinuousClock()
        let start = clock.now
        #expect(try await repository.catalog.overviews().count == 1000)
        let elapsed = start.duration(to: clock.now)
        print("a warm listing of 1,000 took \(elapsed)")
        #expect(repository.counting.counts.taken() == 0)
    }
}

@Suite struct SnapshotVerificationTests {
    private func verify(
        _ repository: MadeRepository, _ id: SnapshotID
    ) async throws -> SnapshotVerification.Report {
        try await SnapshotVerification(
            .snapshot(id.description, in: repository.catalog), width: 2,
            environment: JobEnvironment(now: { 1_800_000_000_000 }, random: { 0 }),
            observer: RecordingObserver()
        ).run()
    }

    @Test func whatCameOfItIsKeptBesideTheSnapshot() async throws {
        let repository = try await MadeRepository()
        let id = try await repository.add(1)
        #expect(try await repository.catalog.verification(of: id) == nil)
        let report = try await verify(repository, id)
        #expect(report.checked.documentCount == 3)
        let verification = try #require(try await repository.catalog.verification(of: id))
        #expect(verification.outcome == .ok && verification.error == nil)
        #expect(verification.at == 1_800_000_000_000 && verification.seal == report.seal)
        #expect(
            try repository.folder.contents == [".\(id).archive.gz.verified", "\(id).archive.gz"])
        // A byte is not what it was; the trailer still is.
        let path = repository.folder.path + "/\(id).archive.gz"
        var bytes = try repository.folder.bytes(path)
        let chunks = try await repository.catalog.open(id).index.rows
        bytes[Int(chunks[0].offset) + Int(chunks[0].storedByteCount) - 20] ^= 1
        try Data(bytes).write(to: URL(filePath: path))
        await #expect(throws: ArchiveError.self) { try await verify(repository, id) }
        let found = try #require(try await repository.catalog.verification(of: id))
        #expect(found.outcome == .damaged && found.error != nil)
        #expect(try await repository.catalog.overview(of: id).isDamaged)
    }

    @Test(arguments: ["", "{}", "[", #"{"version": 2}"#, "\u{0}", #"{"version":1,"seal":"00"}"#])
    func aNoteThatIsNoneCountsForNothing(_ text: String) async throws {
        let repository = try await MadeRepository()
        let id = try await repository.add(1)
        _ = try repository.folder.file(".\(id).archive.gz.verified", Array(text.utf8))
        #expect(try await repository.catalog.verification(of: id) == nil)
    }
}
