import ArchiveEngine
import ArchiveFormat
import BSONBytes
import Foundation
import Testing

@testable import Snapshots

/// Folders of mongodump's in which one file is damaged: what the others hold is saved, and of that
/// one all that can be told.
@Suite struct DumpSalvageTests {
    /// What is done to the file of one collection of three.
    enum Damage: CaseIterable {
        case length, longLength, element, elementOfLast, end, gzipEnd, emptyGzip, metadata, prelude
        case missingMetadataOfTimeSeries

        /// How many of its five documents are saved.
        var savedCount: Int {
            switch self {
            case .length, .longLength: 2
            case .element, .elementOfLast, .end: 4
            case .gzipEnd, .emptyGzip: 0
            case .metadata, .prelude, .missingMetadataOfTimeSeries: 5
            }
        }
    }

    private static let documents = (0..<5).map { number in
        BSONDocument {
            $0.append("_id", Int32(number))
            $0.append("text", "some text")
            $0.append("part", BSONDocument { $0.append("x", Int32(number)) })
        }.bytes
    }

    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    private func write(_ content: [UInt8], _ name: String) throws {
        let file = URL(filePath: folder.path + "/dump/" + name)
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(content).write(to: file)
    }

    private func writeDump(_ damage: Damage) throws {
        let metadata = Array(#"{"options":{},"indexes":[]}"#.utf8)
        let broken = Array(#"{"options":{"#.utf8)
        try write(damage == .prelude ? broken : Array("{}".utf8), "prelude.json")
        for name in ["a", "b", "c"] {
            let isDamaged = name == "b"
            try write(
                isDamaged && damage == .metadata ? broken : metadata, "d/\(name).metadata.json")
            var documents = Self.documents
            guard isDamaged else {
                try write(documents.flatMap(\.self), "d/\(name).bson")
                continue
            }
            switch damage {
            case .length: documents[2][0] = 1
            case .longLength: documents[2][2] = 1
            // The type of the second field.
            case .element: documents[2][13] = 0x77
            case .elementOfLast: documents[4][13] = 0x77
            case .end: documents[4].removeLast(7)
            default: break
            }
            let bytes = documents.flatMap(\.self)
            switch damage {
            case .gzipEnd: try write(Array(Gzip.stored(bytes).prefix(30)), "d/b.bson.gz")
            case .emptyGzip: try write([], "d/b.bson.gz")
            default: try write(bytes, "d/b.bson")
            }
        }
        if damage == .missingMetadataOfTimeSeries {
            try write(Self.documents[0], "d/system.buckets.t.bson")
        }
    }

    @Test(arguments: Damage.allCases)
    func oneDefectIsNoEndOfTheOthers(_ damage: Damage) async throws {
        try writeDump(damage)
        let path = folder.path + "/saved"
        let report = try await Salvage(
            .file(folder.path + "/dump"), to: .file(path),
            options: Salvage.Options(width: 2, temporaryFolder: folder.path),
            environment: MadeArchive.environment, observer: RecordingObserver()
        ).run()
        #expect(!report.isComplete)
        #expect(report.losses.count == 1, "\(report.losses)")
        let loss = try #require(report.losses.first)
        let name: String? =
            switch damage {
            case .prelude: nil
            case .missingMetadataOfTimeSeries: "d.system.buckets.t"
            default: "d.b"
            }
        #expect(loss.namespace?.description == name)
        #expect(loss.remark?.isEmpty == false)
        let tellsOfDefinitions = loss.remark?.contains("options and indexes are lost") == true
        #expect(tellsOfDefinitions == (damage == .metadata))
        let saved = try await MadeArchive.documents(try folder.bytes(path))
        #expect(saved["d.a"]?.map(\.bytes) == Self.documents)
        #expect(saved["d.c"]?.map(\.bytes) == Self.documents)
        #expect(saved["d.b", default: []].count == damage.savedCount)
        for document in saved["d.b", default: []] {
            #expect(Self.documents.contains(document.bytes))
        }
        // What is read for anything else fails, as ever.
        await #expect(throws: ArchiveError.self) {
            _ = try await MadeArchive.documents(
                of: ArchiveLocation.file(folder.path + "/dump").open().reader)
        }
    }
}
