import ArchiveFormat
import ArgumentParser
import Foundation
import SnapshotJSON
import Snapshots
import Testing

@testable import CairnCommand

/// The file that options come from.
@Suite struct ConfigurationTests {
    private func parse(_ text: String) throws -> Configuration {
        try Configuration(Array(text.utf8), name: "f.json")
    }

    @Test func everyKeyIsRead() throws {
        let file = try parse(
            """
            {"codec": "zstd", "level": 9, "chunk_size": "1MiB", "jobs": 3, "readers": 4,
             "read_order": "id", "writers": 5, "batch_documents": 5000, "max_rate": "20MB"}
            """)
        #expect(file.codec == .zstd && file.level == 9 && file.jobs == 3 && file.readers == 4)
        #expect(file.chunkSize?.byteCount == 1 << 20 && file.readOrder == .id)
        #expect(file.writers == 5 && file.batchDocuments == 5000)
        #expect(file.maxRate?.byteCount == 20_000_000)
        #expect(try parse("{}") == Configuration())
    }

    @Test(arguments: [
        (#"{"levl": 3}"#, "levl"), (#"{"level": 99}"#, "level"), (#"{"level": "3"}"#, "level"),
        (#"{"level": 2.0}"#, "level"), (#"{"codec": "rar"}"#, "codec"), (#"{"jobs": 0}"#, "jobs"),
        (#"{"codec": "gzip", "level": 19}"#, "level"), (#"{"jobs": 1, "jobs": 2}"#, "twice"),
        (#"{"chunk_size": "1KiB"}"#, "chunk_size"), (#"{"chunk_size": 4}"#, "chunk_size"),
        (#"{"read_order": "up"}"#, "read_order"), (#"{"readers": 65}"#, "readers"),
        (#"{"writers": null}"#, "writers"), (#"{"batch_documents": -1}"#, "batch_documents"),
        (#"{"max_rate": "fast"}"#, "max_rate"), ("[1]", "no configuration"),
        ("{", "no configuration"), ("", "no configuration"),
    ])
    func whatIsNotAllowedIsNamed(text: String, part: String) throws {
        let failure = try #require(throws: Failure.self) { try parse(text) }
        #expect(failure.status == .usage)
        #expect(failure.message.contains("f.json") && failure.message.contains(part))
    }

    @Test func theCommandLineCountsMoreThanTheFile() throws {
        let file = try parse(#"{"codec": "zstd", "level": 9, "jobs": 3, "max_rate": "1MB"}"#)
        #expect(try file.compression(codec: nil, level: nil) == Compression(.zstd, level: 9))
        #expect(try file.compression(codec: nil, level: 4) == Compression(.zstd, level: 4))
        // The file's level was chosen for the file's codec.
        #expect(try file.compression(codec: .gzip, level: nil) == .standard)
        #expect(try Configuration().compression(codec: nil, level: nil) == .standard)
        #expect(try WidthOptions.parse(["--jobs", "5"]).resolved(file) == 5)
        #expect(try WidthOptions.parse([]).resolved(file) == 3)
        #expect(try RateOptions.parse([]).makeLimiter(file) != nil)
        #expect(try RateOptions.parse([]).makeLimiter(Configuration()) == nil)
    }

    @Test func onlyAConfigurationIsOverwritten() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
            "cairn-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
        defer { #expect(throws: Never.self) { try FileManager.default.removeItem(at: folder) } }
        let file = ConfigurationFile(path: folder.path + "/cairn.json")
        try await file.checkMayReplace()
        for level in [3, 4] {
            try await file.write(.object(["level": .count(level)]))
            try await file.checkMayReplace()
            #expect(try await file.read().level == level)
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["cairn.json"])
        try Data("secret".utf8).write(to: URL(fileURLWithPath: file.path))
        await #expect(throws: Failure.self) { try await file.checkMayReplace() }
    }
}
