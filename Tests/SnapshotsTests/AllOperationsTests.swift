import ArchiveFormat
import BSONBytes
import Foundation
import MongoDriver
import PrivateServer
import SampleData
import Snapshots
import Testing

/// Random operations of all kinds on random collections, documents, indexes and options, compared
/// with a model that is nothing but dictionaries.
@Suite(.needsServer, .serialized) struct AllOperationsTests {
    /// What is expected of a database.
    struct Model: Equatable {
        /// Documents by collection and `_id`.
        var documents = ModelTests.Model()
        /// Names of indexes by collection.
        var indexes: [String: Set<String>] = [:]
        /// The validation level by collection, where it is not "strict": that is what a server does
        /// by itself, so one that says it and one that does not are the same.
        var levels: [String: String] = [:]

        mutating func remove(_ name: String) {
            documents[name] = nil
            indexes[name] = nil
            levels[name] = nil
        }
    }

    enum Operation: CaseIterable {
        case backup, preview, merge, mergeKeeping, replace, inPlace, undo, killed, salvage
    }

    private static let operationCount = 14

    @Test(arguments: [UInt64.random(in: 0 ... .max), 11, 12])
    func theDatabaseIsAsTheModelSays(seed: UInt64) async throws {
        var random = SplitMix64(seed: seed)
        let server = try await PrivateServer()
        let fixture = try await SnapshotFixture(server)
        var live = Model()
        live.documents = try ModelTests.collections(&random)
        live.documents["capped"] = nil
        for (name, documents) in live.documents {
            try await fixture.insert(Array(documents.values).inByteOrder, name)
            live.indexes[name] = ["_id_"]
        }
        var archived = live
        try await fixture.backup()
        for number in 0..<Self.operationCount {
            try await Self.mutate(&live, fixture, &random)
            let all = Operation.allCases
            let operation = number < all.count ? all[number] : all[random.below(all.count)]
            try await perform(operation, &live, &archived, fixture, server, &random)
            let found = try await Self.read(fixture)
            #expect(
                Self.differences(live, found) == [],
                "seed \(seed), operation \(number): \(operation)")
        }
        // The canary: a checker that never complains would be of no use.
        let (name, documents) = try #require(live.documents.first { !$0.value.isEmpty })
        let id = try #require(documents.keys.first)
        live.documents[name]?[id] = document(id: id) { $0.append("canary", true) }
        live.indexes[name]?.insert("canary")
        #expect(Self.differences(live, try await Self.read(fixture)).count == 2)
        try await server.stop()
    }

    // MARK: Operations

    private func perform(
        _ operation: Operation, _ live: inout Model, _ archived: inout Model,
        _ fixture: SnapshotFixture, _ server: PrivateServer, _ random: inout SplitMix64
    ) async throws {
        switch operation {
        case .backup:
            try await fixture.backup(width: 1 + random.below(3))
            archived = live
        case .preview:
            try await preview(live, archived, fixture)
        case .merge, .mergeKeeping:
            let rule = operation == .merge ? Restore.ConflictRule.overwrite : .keep
            let outcome = try await fixture.restore(nil, .merge) { $0.conflictRule = rule }.outcome
            Self.expect(outcome, live, archived, rule)
            Self.merge(archived, rule, over: &live)
        case .replace:
            try await fixture.restore(width: 1 + random.below(3))
            Self.replace(archived, over: &live)
        case .inPlace:
            try await fixture.restore { $0.isInPlace = true }
            Self.replace(archived, over: &live)
        case .undo:
            let job = JobID(kind: "restore", fixture.environment)
            try await fixture.restore { $0.keepOld = Restore.KeepOld(job: job, seconds: 600) }
            _ = try await Undo(
                of: job, as: JobID(kind: "undo", fixture.environment), on: fixture.pool,
                observer: RecordingObserver()
            ).run()
        case .killed:
            try await kill(&live, archived, fixture, server, &random)
        case .salvage:
            try await salvage(&live, archived, fixture, &random)
        }
    }

    private func preview(
        _ live: Model, _ archived: Model, _ fixture: SnapshotFixture
    ) async throws {
        let report = try await LiveComparison(
            .snapshot("latest", in: fixture.catalog), with: fixture.pool, for: .preview,
            restore: Restore.Options(mode: .replace, width: 2),
            options: Comparison.Options(width: 2), observer: RecordingObserver()
        ).run()
        for entry in report.entries {
            let name = entry.target.collection
            let (left, right) = (archived.documents[name] ?? [:], live.documents[name] ?? [:])
            let both = Set(left.keys).intersection(right.keys)
            let difference = entry.difference
            #expect(difference.onlyInFirstCount == left.count - both.count, "\(name)")
            #expect(difference.onlyInSecondCount == right.count - both.count, "\(name)")
            #expect(difference.differingCount == both.count { left[$0] != right[$0] }, "\(name)")
            guard difference.isInSecond else { continue }
            let indexes = (archived.indexes[name] ?? []).symmetricDifference(
                live.indexes[name] ?? [])
            #expect(Set(difference.indexes.map(\.name)) == indexes, "\(name)")
            #expect(difference.options.isEmpty == (archived.levels[name] == live.levels[name]))
        }
    }

    /// Killed before anything is swapped, nothing has changed; the same again goes on.
    private func kill(
        _ live: inout Model, _ archived: Model, _ fixture: SnapshotFixture,
        _ server: PrivateServer, _ random: inout SplitMix64
    ) async throws {
        let phase = ["loading", "comparing", "publishing"][random.below(3)]
        let victim = Victim(fixture, server, phase)
        await #expect(processExitsWith: .signal(SIGKILL)) { [victim = victim as Victim] in
            try await victim.restore()
        }
        #expect(Self.differences(live, try await Self.read(fixture)) == [], "killed at \(phase)")
        try await fixture.restore { $0.isResumed = true }
        Self.replace(archived, over: &live)
    }

    /// One byte of a copy is damaged: what comes back is the snapshot but for what is told.
    private func salvage(
        _ live: inout Model, _ archived: Model, _ fixture: SnapshotFixture,
        _ random: inout SplitMix64
    ) async throws {
        // In the order in which they were taken: identifiers of one second say nothing of it.
        let key = try #require(try await fixture.catalog.list().last?.key)
        let folder = try TemporaryFolder()
        var bytes = try fixture.folder.bytes(fixture.folder.path + "/" + key)
        bytes[random.below(bytes.count)] ^= UInt8(1 + random.below(255))
        let damaged = try folder.file("damaged", bytes)
        let saved = folder.path + "/saved"
        let report = try await Salvage(
            .file(damaged), to: .file(saved),
            options: Salvage.Options(width: 2, temporaryFolder: folder.path),
            environment: fixture.environment, observer: RecordingObserver()
        ).run()
        for name in live.documents.keys { try await fixture.dropCollection(name) }
        try await fixture.restore(.file(saved))
        var found = try await Self.read(fixture)
        let expected = archived.documents.values.reduce(0) { $0 + $1.count }
        let salvaged = Int(report.manifest.documentCount)
        #expect(salvaged == expected || !report.losses.isEmpty)
        for (name, documents) in found.documents {
            for (id, document) in documents {
                #expect(archived.documents[name]?[id] == document, "\(name)")
            }
        }
        #expect(found.documents.values.reduce(0) { $0 + $1.count } == salvaged)
        if report.losses.isEmpty {
            #expect(
                found.documents.filter { !$0.value.isEmpty }
                    == archived.documents.filter { !$0.value.isEmpty })
        }
        // Whatever it was, the whole snapshot makes it whole.
        try await fixture.restore()
        found = try await Self.read(fixture)
        live = Model()
        Self.replace(archived, over: &live)
    }

    // MARK: The model

    private static func replace(_ archived: Model, over live: inout Model) {
        for (name, documents) in archived.documents {
            live.documents[name] = documents
            live.indexes[name] = archived.indexes[name]
            live.levels[name] = archived.levels[name]
        }
    }

    private static func merge(
        _ archived: Model, _ rule: Restore.ConflictRule, over live: inout Model
    ) {
        for (name, documents) in archived.documents {
            let isNew = live.documents[name] == nil
            live.documents[name, default: [:]].merge(documents) { own, other in
                rule == .keep ? own : other
            }
            live.indexes[name, default: []].formUnion(archived.indexes[name] ?? [])
            if isNew { live.levels[name] = archived.levels[name] }
        }
    }

    private static func expect(
        _ outcome: LoadOutcome, _ live: Model, _ archived: Model, _ rule: Restore.ConflictRule
    ) {
        var expected = LoadOutcome()
        for (name, documents) in archived.documents {
            for (id, document) in documents {
                switch live.documents[name]?[id] {
                case nil: expected.insertedCount += 1
                case document: expected.equalCount += 1
                case _? where rule == .keep: expected.keptCount += 1
                case _?: expected.overwrittenCount += 1
                }
            }
        }
        #expect(outcome.insertedCount == expected.insertedCount)
        #expect(outcome.equalCount == expected.equalCount)
        #expect(outcome.keptCount == expected.keptCount)
        #expect(outcome.overwrittenCount == expected.overwrittenCount)
    }

    private static func differences(_ expected: Model, _ found: Model) -> [String] {
        ModelTests.differences(expected.documents, found.documents)
            + expected.documents.keys.sorted().flatMap { name -> [String] in
                let isSame =
                    expected.indexes[name] == found.indexes[name]
                    && expected.levels[name] == found.levels[name]
                return isSame ? [] : ["\(name) has other indexes or options"]
            }
    }

    private static func read(_ fixture: SnapshotFixture) async throws -> Model {
        var model = Model()
        for (name, collection) in try await fixture.state().collections
        where !name.hasPrefix("cairn.") {
            model.documents[name] = try ModelTests.byID(collection.documents)
            model.indexes[name] = Set(
                try collection.indexes.compactMap { try $0.first("name")?.string })
            let level = try collection.options.first("validationLevel")?.string
            model.levels[name] = level == "strict" ? nil : level
        }
        return model
    }

    // MARK: Chance

    private static func mutate(
        _ live: inout Model, _ fixture: SnapshotFixture, _ random: inout SplitMix64
    ) async throws {
        try await ModelTests.mutate(&live.documents, fixture, &random)
        for name in live.indexes.keys where live.documents[name] == nil { live.remove(name) }
        if live.documents.isEmpty {
            // A backup of nothing is refused.
            let only = document(1)
            try await fixture.insert([only], "only")
            live.documents["only"] = try ModelTests.byID([only])
            live.indexes["only"] = ["_id_"]
        }
        for name in live.documents.keys.sorted() where random.chance(25) {
            let field = ["a", "b"][random.below(2)]
            if live.indexes[name]?.contains("\(field)_1") == true {
                try await fixture.pool.withConnection { connection in
                    try await connection.dropIndex(
                        "\(field)_1", of: name, in: fixture.database)
                }
                live.indexes[name]?.remove("\(field)_1")
            } else {
                let index = BSONDocument {
                    $0.append("key", BSONDocument { $0.append(field, Int32(1)) })
                    $0.append("name", "\(field)_1")
                }
                try await fixture.pool.withConnection { connection in
                    try await connection.createIndexes([index], of: name, in: fixture.database)
                }
                live.indexes[name, default: []].insert("\(field)_1")
            }
        }
        for name in live.documents.keys.sorted() where random.chance(15) {
            let level = ["moderate", "strict"][random.below(2)]
            try await fixture.command(
                BSONDocument {
                    $0.append("collMod", name)
                    $0.append("validationLevel", level)
                })
            live.levels[name] = level == "strict" ? nil : level
        }
    }
}
