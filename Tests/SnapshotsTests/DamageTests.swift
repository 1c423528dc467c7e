import ArchiveFormat
import BSONBytes
import Foundation
import Glibc
import MongoDriver
import ObjectStorage
import Snapshots
import Testing

/// Archives that are cut or altered. Each must be refused, and nothing must have happened.
@Suite(.needsServer) struct DamageTests {
    /// A database with live documents, and archives to be damaged.
    private struct Bench {
        let fixture: SnapshotFixture
        let archive: [UInt8]
        let before: SnapshotFixture.State

        /// Restores altered bytes, from a file or through a pipe.
        func restore(_ bytes: [UInt8], piped: Bool, renames: [String] = []) async throws {
            let path = fixture.folder.path + "/damaged-\(UUID())"
            try Data(bytes).write(to: URL(filePath: path))
            defer { unlink(path) }
            guard piped else {
                try await fixture.restore(.file(path), renames: renames)
                return
            }
            let descriptor = open(path, O_RDONLY)
            defer { close(descriptor) }
            let pipe = PipeStream(descriptor: descriptor, name: "pipe")
            try await fixture.restore(.pipe(pipe), renames: renames)
        }

        /// - Returns: what went wrong with the promise; nil when it was kept.
        func refusal(_ bytes: [UInt8], piped: Bool) async -> String? {
            do {
                try await restore(bytes, piped: piped)
                return "was taken for a whole archive"
            } catch let error as ArchiveError {
                return error.message.isEmpty ? "no message" : nil
            } catch {
                return "\(type(of: error)): \(error)"
            }
        }
    }

    private func makeBench() async throws -> Bench {
        let fixture = try await SnapshotFixture.shared()
        try await fixture.insert((0..<20).map { document($0) { $0.append("n", true) } }, "a")
        try await fixture.insert((0..<20).map { document($0) { $0.append("n", true) } }, "b")
        try await fixture.createIndex("n", on: "n", of: "a")
        let report = try await fixture.backup()
        let path = fixture.folder.path + "/" + (try #require(report.place))
        let archive = [UInt8](try Data(contentsOf: URL(filePath: path)))
        // What is live differs, so that a restore that went through would show.
        try await fixture.insert([document(100)], "a")
        try await fixture.insert([document(100)], "b")
        return Bench(fixture: fixture, archive: archive, before: try await fixture.state())
    }

    private func finish(_ bench: Bench) async throws {
        #expect(try await bench.fixture.state() == bench.before)
        #expect(try await bench.fixture.names() == ["a", "b"])
        try await bench.restore(bench.archive, piped: false)
        try await bench.restore(bench.archive, piped: true)
        #expect(try await bench.fixture.state() != bench.before)
        try await bench.fixture.drop()
    }

    @Test(arguments: [false, true])
    func aFileThatIsCutAnywhereIsRefused(piped: Bool) async throws {
        let bench = try await makeBench()
        let count = bench.archive.count
        // Everywhere near the ends, where the boundaries lie close, and at every k-th byte.
        let cuts = Set(stride(from: 0, to: count, by: piped ? 37 : 13)).union(count - 12..<count)
        for cut in cuts.sorted() {
            let failure = await bench.refusal(Array(bench.archive[..<cut]), piped: piped)
            #expect(failure == nil, "cut at \(cut) of \(count)")
        }
        try await finish(bench)
    }

    @Test(arguments: [false, true])
    func aByteThatIsAlteredAnywhereIsNoticed(piped: Bool) async throws {
        let bench = try await makeBench()
        let count = bench.archive.count
        for position in stride(from: 0, to: count, by: 41) {
            var bytes = bench.archive
            bytes[position] ^= UInt8(1 << (position % 8))
            let failure = await bench.refusal(bytes, piped: piped)
            #expect(failure == nil, "byte \(position) of \(count)")
        }
        try await finish(bench)
    }

    @Test(arguments: [Array("not an archive at all".utf8), [], [0x1F, 0x8B, 8], [0x6D, 0xE2]])
    func whatIsNoArchiveIsRefused(_ bytes: [UInt8]) async throws {
        let bench = try await makeBench()
        for piped in [false, true] {
            let failure = await bench.refusal(bytes, piped: piped)
            #expect(failure == nil)
        }
        try await finish(bench)
    }

    /// mongodump's archives have no checksum but one a collection, and none over their prelude: an
    /// altered option can't be told from a true one. Documents can.
    @Test(arguments: ["types.archive", "odd-names.archive"])
    func damagedArchivesOfMongodumpNeverGiveOtherDocuments(_ name: String) async throws {
        let fixture = try await SnapshotFixture.shared()
        let source = name == "types.archive" ? "types" : "wéird-db"
        let path = MongodumpArchiveTests.folder.appending(path: name)
        let archive = [UInt8](try Data(contentsOf: path))
        let renames = ["\(source).*=\(fixture.database).*"]
        let bench = Bench(
            fixture: fixture, archive: archive, before: SnapshotFixture.State(collections: [:]))
        try await bench.restore(archive, piped: false, renames: renames)
        let whole = try await fixture.state()
        for cut in stride(from: 0, to: archive.count, by: 61) {
            await #expect(throws: (any Error).self, "cut at \(cut)") {
                try await bench.restore(
                    Array(archive[..<cut]), piped: cut % 2 == 0, renames: renames)
            }
        }
        #expect(try await fixture.state() == whole)
        for position in stride(from: 0, to: archive.count, by: 43) {
            var bytes = archive
            bytes[position] ^= UInt8(1 << (position % 8))
            do {
                try await bench.restore(bytes, piped: false, renames: renames)
            } catch {
                continue
            }
            for (name, collection) in try await fixture.state().collections {
                guard let expected = whole.collections[name] else { continue }
                #expect(collection.documents == expected.documents, "\(name), byte \(position)")
            }
        }
        #expect(try await fixture.names().allSatisfy { !$0.hasPrefix("cairn.staging") })
        try await fixture.drop()
    }
}
