import ArchiveEngine
import ArchiveFormat
import BSONBytes
import ExtendedJSON
import Foundation
import MongoDriver
import PrivateServer
import Snapshots
import Testing

/// Folders as mongodump writes them without `--archive`, and single files of them.
@Suite(.needsServer, .serialized) struct DumpFolderTests {
    /// Collections of every kind, one with a name that is too long for a file's, and their dump.
    private func dump(
        _ fixture: SnapshotFixture, isGzip: (Int) -> Bool
    ) async throws -> (folder: String, state: SnapshotFixture.State) {
        try await CollectionKinds.make(fixture)
        try await fixture.insert(
            [CollectionKinds.numbered(1)], String(repeating: "long/name ", count: 20))
        let state = try await fixture.state()
        try await fixture.backup()
        let folder = fixture.folder.path + "/dump"
        try await MadeDump.write(
            .snapshot("latest", in: fixture.catalog), to: folder, isGzip: isGzip)
        return (folder, state)
    }

    @Test(arguments: [0, 1, 2])
    func everyKindOfCollectionComesBackFromAFolder(_ gzipOf: Int) async throws {
        let fixture = try await SnapshotFixture.shared()
        // None, all, or every other one is gzip.
        let (folder, state) = try await dump(fixture) { gzipOf == 1 || gzipOf == 2 && $0 % 2 == 0 }
        for place in [folder, folder + "/", "\(folder)/\(fixture.database)"] {
            try await fixture.drop()
            let observer = RecordingObserver()
            try await fixture.restore(.file(place), observer: observer)
            let after = try await fixture.state()
            for (name, collection) in state.collections {
                #expect(after.collections[name] == collection, "\(name)")
            }
            #expect(after.collections.count == state.collections.count)
            #expect(observer.notices == [])
        }
        // Over what is there, and merged into it, where all is equal.
        try await fixture.restore(.file(folder))
        #expect(try await fixture.state() == state)
        let merged = try await fixture.restore(.file(folder), .merge)
        #expect(merged.outcome.insertedCount == 0 && merged.outcome.overwrittenCount == 0)
        try await fixture.drop()
    }

    /// One é is a character, the other an e with an accent: two collections, for Swift one text.
    @Test func namesThatLookAlikeAreTwoCollections() async throws {
        let fixture = try await SnapshotFixture.shared()
        let names = ["caf\u{E9}", "cafe\u{301}"]
        for (number, name) in names.enumerated() {
            try await fixture.insert([document(Int32(number))], name)
        }
        func check() async throws {
            for (number, name) in names.enumerated() {
                #expect(try await fixture.documents(name) == [document(Int32(number))])
            }
        }
        let report = try await fixture.backup()
        #expect(report.manifest.namespaces.count == 2 && report.manifest.documentCount == 2)
        let folder = fixture.folder.path + "/dump"
        try await MadeDump.write(.snapshot("latest", in: fixture.catalog), to: folder)
        for location in [.snapshot("latest", in: fixture.catalog), ArchiveLocation.file(folder)] {
            try await fixture.drop()
            try await fixture.restore(location)
            try await check()
            try await fixture.restore(location)
            try await check()
        }
        try await fixture.drop()
    }

    @Test func aFolderBecomesASnapshot() async throws {
        let fixture = try await SnapshotFixture.shared()
        let (folder, state) = try await dump(fixture) { $0 % 3 == 0 }
        let path = fixture.folder.path + "/indexed.archive.gz"
        let report = try await Conversion(
            .file(folder), to: .file(path),
            options: Conversion.Options(width: 2, temporaryFolder: fixture.folder.path),
            environment: MadeArchive.environment, observer: RecordingObserver()
        ).run()
        #expect(
            report.manifest.namespaces.count
                == state.collections.filter {
                    !$0.key.hasPrefix("system.")
                }.count)
        let verified = try await SnapshotVerification(
            .file(folder), width: 2, environment: MadeArchive.environment,
            observer: RecordingObserver()
        ).run()
        #expect(verified.checked.documentCount == report.manifest.documentCount)
        try await fixture.drop()
        try await fixture.restore(.file(path))
        #expect(try await fixture.state() == state)
        try await fixture.drop()
    }

    @Test func aDumpWithoutAPreludeBecomesAnArchiveThatStatesAVersion() async throws {
        let fixture = try await SnapshotFixture.shared()
        let folder = fixture.folder.path + "/dump"
        try FileManager.default.createDirectory(
            atPath: folder + "/shop", withIntermediateDirectories: true)
        try Data(MadeArchive.made(0..<3).flatMap(\.bytes))
            .write(to: URL(filePath: folder + "/shop/a.bson"))
        let path = fixture.folder.path + "/indexed"
        _ = try await Conversion(
            .file(folder), to: .file(path),
            options: Conversion.Options(width: 2, temporaryFolder: fixture.folder.path),
            environment: MadeArchive.environment, observer: RecordingObserver()
        ).run()
        let bytes = try fixture.folder.bytes(path)
        let plain = try await Shell.run("zcat '\(path)' | head -c 4096 | tr -d '\\0'")
        #expect(plain.output.contains("server_version") && plain.output.contains("0.0.0"))
        #expect(try await MadeArchive.documents(bytes)["shop.a"] == MadeArchive.made(0..<3))
    }

    @Test func oneFileComesBackUnderItsOwnNameOrAnother() async throws {
        let fixture = try await SnapshotFixture.shared()
        let (folder, state) = try await dump(fixture) { _ in false }
        let files = "\(folder)/\(fixture.database)"
        try await fixture.drop()
        let report = try await fixture.restore(.file("\(files)/indexed.bson"))
        #expect(report.entries.map(\.source.collection) == ["indexed"])
        let found = try await fixture.state()
        #expect(found.collections == state.collections.filter { $0.key == "indexed" })
        try await fixture.restore(
            .file("\(files)/sla%2Fsh.bson"),
            renames: ["\(fixture.database).*=\(fixture.database).x*"])
        #expect(
            try await fixture.state().collections["xsla/sh"]
                == state.collections["sla/sh"])
        // Whatever the folder is called, a name for the server can be given.
        let odd = fixture.folder.path + "/2020-01-01 10.00"
        try FileManager.default.createDirectory(atPath: odd, withIntermediateDirectories: true)
        try FileManager.default.copyItem(
            atPath: "\(files)/indexed.bson", toPath: odd + "/c.bson")
        for place in [odd, odd + "/c.bson"] {
            let error = await #expect(throws: SnapshotError.self) {
                try await fixture.restore(.file(place))
            }
            #expect(error?.message.contains("--ns-rename") ?? false)
            try await fixture.restore(
                .file(place), renames: ["2020-01-01 10.00.c=\(fixture.database).renamed"])
            #expect(
                try await fixture.state().collections["renamed"]?.documents
                    == state.collections["indexed"]?.documents)
            try await fixture.pool.withConnection {
                try await $0.dropCollection("renamed", in: fixture.database)
            }
        }
        try await fixture.drop()
    }

    @Test func linksAreFollowedAndLoopsRefused() async throws {
        let fixture = try await SnapshotFixture.shared()
        let files = FileManager.default
        let folder = fixture.folder.path + "/dump"
        let elsewhere = fixture.folder.path + "/elsewhere"
        let content = Data(MadeArchive.made(0..<3).flatMap(\.bytes))
        for path in [folder, elsewhere + "/db"] {
            try files.createDirectory(atPath: path, withIntermediateDirectories: true)
        }
        try content.write(to: URL(filePath: elsewhere + "/db/a.bson"))
        try content.write(to: URL(filePath: elsewhere + "/loose"))
        try files.createSymbolicLink(
            atPath: "\(folder)/\(fixture.database)", withDestinationPath: elsewhere + "/db")
        try files.createSymbolicLink(
            atPath: elsewhere + "/db/b.bson", withDestinationPath: "../loose")
        try files.createSymbolicLink(
            atPath: elsewhere + "/link", withDestinationPath: folder)
        for place in [folder, elsewhere + "/link"] {
            let report = try await fixture.restore(.file(place))
            #expect(report.outcome.documentCount == 6)
            #expect(try await fixture.names() == ["a", "b"])
        }
        for target in [".", "..", folder, "loop"] {
            let loop = folder + "/loop"
            try files.createSymbolicLink(atPath: loop, withDestinationPath: target)
            let observer = RecordingObserver()
            if target == "loop" {
                // It leads nowhere, and has no name of a dump's.
                try await fixture.restore(.file(folder), observer: observer)
                #expect(observer.notices.contains { $0.contains("ignored loop") })
            } else {
                await #expect(throws: ArchiveError.self) {
                    try await fixture.restore(.file(folder))
                }
            }
            try files.removeItem(atPath: loop)
        }
        try files.createSymbolicLink(
            atPath: elsewhere + "/db/gone.bson", withDestinationPath: "nowhere")
        let error = await #expect(throws: ArchiveError.self) {
            try await fixture.restore(.file(folder))
        }
        #expect(error?.message.contains("gone.bson") ?? false)
        try await fixture.drop()
    }

    @Test func pipesInAFolderAreNotOpened() async throws {
        let fixture = try await SnapshotFixture.shared()
        let files = "\(fixture.folder.path)/dump/\(fixture.database)"
        try FileManager.default.createDirectory(atPath: files, withIntermediateDirectories: true)
        try Data(MadeArchive.made(0..<3).flatMap(\.bytes))
            .write(to: URL(filePath: files + "/a.bson"))
        #expect(mkfifo(files + "/pipe", 0o600) == 0)
        let observer = RecordingObserver()
        let location = ArchiveLocation.file(fixture.folder.path + "/dump")
        let report = try await fixture.restore(location, observer: observer)
        #expect(report.outcome.documentCount == 3)
        #expect(observer.notices.count == 1)
        #expect(mkfifo(files + "/b.bson", 0o600) == 0)
        let error = await #expect(throws: ArchiveError.self) {
            try await fixture.restore(location)
        }
        #expect(error?.message.contains("b.bson") ?? false)
        #expect(error?.message.contains("named pipe") ?? false)
        try await fixture.drop()
    }

    @Test func aDamagedFileLeavesLiveDataAlone() async throws {
        let fixture = try await SnapshotFixture.shared()
        let files = "\(fixture.folder.path)/dump/\(fixture.database)"
        try FileManager.default.createDirectory(atPath: files, withIntermediateDirectories: true)
        let whole = MadeArchive.made(0..<300).flatMap(\.bytes)
        try Data(whole).write(to: URL(filePath: files + "/a.bson"))
        try Data(whole.dropLast(10)).write(to: URL(filePath: files + "/b.bson"))
        try await fixture.insert(MadeArchive.made(1000..<1003), "a")
        let before = try await fixture.state()
        let location = ArchiveLocation.file(fixture.folder.path + "/dump")
        for mode in Restore.Mode.allCases {
            let error = await #expect(throws: ArchiveError.self) {
                try await fixture.restore(location, mode)
            }
            #expect(error?.code == .truncated)
            #expect(error?.message.contains("\(fixture.database)/b.bson") ?? false)
            #expect(error?.offset != nil)
            #expect(try await fixture.state() == before)
        }
        try await fixture.drop()
    }

    @Test func archivesAreToldFromDocumentsByTheirBytes() async throws {
        let folder = try TemporaryFolder()
        let plain = try MadeArchive.mongodump(
            ["shop.a"], [("shop.a", MadeArchive.made(0..<3))])
        let cairn = try await MadeArchive.cairn([
            MadeArchive.Part("shop.a", [MadeArchive.made(0..<3)])
        ])
        for content in [plain, Gzip.stored(plain), cairn] {
            let reader = try await ArchiveLocation.file(folder.file("x.bson", content)).open()
                .reader
            #expect(reader.prelude.namespaces.map(\.namespace.description) == ["shop.a"])
            #expect(!(reader is DumpReader))
        }
        let documents = MadeArchive.made(0..<3).flatMap(\.bytes)
        for content in [documents, Gzip.stored(documents), []] {
            let reader = try await ArchiveLocation.file(folder.file("x.bson", content)).open()
                .reader
            #expect(reader is DumpReader)
        }
    }

    @Test func theOplogOfAFolderIsReplayed() async throws {
        let server = try await PrivateServer()
        let fixture = try await SnapshotFixture(server, database: "d")
        let wanted = try await OplogBackup.backupWithChanges(fixture)
        let folder = fixture.folder.path + "/dump"
        try await MadeDump.write(.snapshot("latest", in: fixture.catalog), to: folder) {
            $0 % 2 == 1
        }
        try await fixture.drop()
        let report = try await fixture.restore(.file(folder))
        #expect(report.replayedCount ?? 0 > 0)
        #expect(try await fixture.differences(from: wanted) == [])
        try await server.stop()
    }

    /// The same folder, restored by both.
    @Test(.needsMongorestore, arguments: Mongorestore.all)
    func mongorestoreMakesTheSameOfAFolder(_ mongorestore: Mongorestore) async throws {
        let server = try await PrivateServer()
        let fixture = try await SnapshotFixture(server, database: "d")
        let (folder, _) = try await dump(fixture) { _ in false }
        let (status, output) = try await Shell.run(
            "'\(mongorestore.path)' --drop --bypassDocumentValidation --uri '\(server.uri)' "
                + "'\(folder)'", timeoutSeconds: 180)
        try #require(status == 0, "\(output.suffix(3000))")
        let theirs = try await fixture.comparableState()
        try await fixture.restore(.file(folder))
        #expect(try await fixture.differences(from: theirs) == [])
        try await server.stop()
    }
}
