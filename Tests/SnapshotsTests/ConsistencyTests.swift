import ArchiveFormat
import BSONBytes
import MongoDriver
import PrivateServer
import Snapshots
import Testing

extension InterruptedJobTests {
    /// A snapshot is of one instant, whatever happens while it is taken.
    @Suite struct ConsistencyTests {
        /// Collections in the order they are read: `a`, one that takes a while, `m`, `z`.
        private static func make(_ fixture: SnapshotFixture) async throws {
            try await fixture.insert([document(1)], "a")
            try await filler(fixture, "b_filler", count: 12)
            try await fixture.insert((0..<10).map { document($0) }, "m")
            try await fixture.insert([document(1)], "z")
        }

        private static func filler(
            _ fixture: SnapshotFixture, _ collection: String, count: Int32
        ) async throws {
            let fill = [UInt8](repeating: 7, count: 300_000)
            for number in 0..<count {
                try await fixture.insert(
                    [document(number) { $0.append("fill", binary: fill, subtype: 0) }],
                    collection)
            }
        }

        /// The queue behind the reader is short, so it is still in the filler.
        private static func gate() -> Gate {
            Gate { $0.phase == .reading && $0.subject?.hasSuffix("b_filler") == true }
        }

        /// A pair is written while the backup stands between its two collections.
        private func pairIsTorn(_ fixture: SnapshotFixture) async throws -> Bool {
            try await Self.make(fixture)
            let report = try await Self.gate().run { observer in
                try await fixture.backup(observer: observer)
            } meanwhile: {
                try await fixture.insert([document(2)], "a")
                try await fixture.insert([document(2)], "z")
            }
            switch (try await fixture.serverRole(), report.manifest.consistency) {
            case (.standalone, .none): break
            case (.replicaSetMember, .snapshot(let moment)):
                let now = try await fixture.pool.withConnection { try await $0.operationTime() }
                #expect(moment.seconds > 1_600_000_000)
                #expect(try #require(now) >= moment)
            default: Issue.record("\(report.manifest.consistency)")
            }
            try await fixture.drop()
            try await fixture.restore()
            let first = try await fixture.documents("a").count
            let second = try await fixture.documents("z").count
            try await fixture.drop()
            return first < second
        }

        @Test func pairsAreWholeOnAReplicaSet() async throws {
            #expect(try await !pairIsTorn(SnapshotFixture.shared()))
        }

        /// The canary: without a moment, this very test tears the pair. And without a moment the
        /// archive has none, so equal data give equal files, whatever the width.
        @Test func aStandaloneServerPromisesNothingAndEveryWidthGivesTheSameBytes() async throws {
            var options = PrivateServer.Options()
            options.isReplicaSet = false
            let server = try await PrivateServer(options)
            let fixture = try await SnapshotFixture(server)
            #expect(try await pairIsTorn(fixture))
            // A collection that is dropped before its turn makes the backup start over.
            try await Self.make(fixture)
            let report = try await Self.gate().run { observer in
                try await fixture.backup(observer: observer) { $0.readerCount = 1 }
            } meanwhile: {
                try await fixture.dropCollection("m")
            }
            #expect(
                report.manifest.namespaces.map(\.descriptor.namespace.collection)
                    == ["a", "b_filler", "z"])
            let widths = try await [1, 4].asyncMap { width in
                try await fixture.archiveWithFixedEnvironment(width: width)
            }
            #expect(widths[0].count > 1000)
            #expect(widths[0] == widths[1])
            try await server.stop()
        }

        /// Writers insert into `a`, then into `z`, and count in both, as fast as they can.
        @Test func pairsAreWholeWhileWritersNeverStop() async throws {
            let fixture = try await SnapshotFixture.shared()
            try await Self.make(fixture)
            let writer = Task {
                var number: Int32 = 2
                while !Task.isCancelled {
                    for name in ["a", "z"] {
                        try await fixture.insert([document(number)], name)
                        let counter = document(1) { $0.append("n", number) }
                        try await fixture.replace(
                            .made { $0.append("", Int32(1)) }, by: counter, name)
                    }
                    number += 1
                }
            }
            for _ in 0..<3 {
                try await fixture.backup(
                    observer: RecordingObserver { _ in usleepBriefly() })
                let copy = fixture.database + "_copy"
                try await fixture.restore(renames: ["\(fixture.database).*=\(copy).*"])
                let first = try await fixture.documents("a", in: copy)
                let second = try await fixture.documents("z", in: copy)
                #expect((0...1).contains(first.count - second.count))
                let counts = try [first, second].map { documents in
                    try documents.first?.first("n")?.wholeNumber ?? 1
                }
                #expect((0...1).contains(counts[0] - counts[1]))
                #expect((0...1).contains(first.count - counts[0]))
                try await fixture.drop(copy)
            }
            writer.cancel()
            _ = await writer.result
            try await fixture.drop()
        }

        @Test func cappedCollectionsSayThatTheyAreOfNoMoment() async throws {
            let fixture = try await SnapshotFixture.shared()
            try await fixture.create("capped", CollectionOptions.capped)
            try await fixture.insert([document(1)], "plain")
            let report = try await fixture.backup()
            #expect(report.manifest.consistency.name == "snapshot")
            #expect(report.manifest.namespaces.map { $0.consistency?.name } == ["none", nil])
            try await fixture.drop()
        }

        enum Change: String, CaseIterable {
            case index, drop, rename, recreate
        }

        @Test(arguments: Change.allCases)
        func aChangeOfACollectionNeverCostsDocuments(_ change: Change) async throws {
            let fixture = try await SnapshotFixture.shared()
            try await Self.make(fixture)
            let report = try await Self.gate().run { observer in
                // With more readers it would have been read before.
                let report = try await fixture.backup(observer: observer) { $0.readerCount = 1 }
                #expect(
                    observer.notices.count == (change == .index ? 0 : 1), "\(observer.notices)")
                return report
            } meanwhile: {
                switch change {
                case .index: try await fixture.createIndex("n", on: "n", of: "m")
                case .drop: try await fixture.dropCollection("m")
                case .rename: try await fixture.rename("m", to: "n")
                case .recreate:
                    try await fixture.dropCollection("m")
                    try await fixture.insert([document(77)], "m")
                }
            }
            let counts = Dictionary(
                report.manifest.namespaces.map {
                    ($0.descriptor.namespace.collection, $0.totals.documentCount)
                }, uniquingKeysWith: max)
            #expect(counts["m"] == [.index: 10, .recreate: 1][change])
            #expect(counts["n"] == (change == .rename ? 10 : nil))
            #expect(try fixture.folder.contents.count == 1)
            try await fixture.drop()
        }

        /// While its cursor is open.
        @Test(arguments: [Change.drop, .rename])
        func aChangeOfTheCollectionThatIsReadNeverCostsDocuments(_ change: Change) async throws {
            let fixture = try await SnapshotFixture.shared()
            try await Self.filler(fixture, "b_filler", count: 150)
            try await fixture.insert([document(1)], "c")
            let report = try await Self.gate().run { observer in
                try await fixture.backup(observer: observer)
            } meanwhile: {
                change == .drop
                    ? try await fixture.dropCollection("b_filler")
                    : try await fixture.rename("b_filler", to: "renamed")
            }
            let counts = report.manifest.namespaces.map(\.totals.documentCount)
            #expect(counts == (change == .drop ? [1] : [1, 150]) || counts == [150, 1])
            try await fixture.drop()
        }

        /// A collection that is made between the list of collections and the moment is part of the
        /// moment.
        @Test func collectionsThatAreMadeMeanwhileAreWholeToo() async throws {
            let fixture = try await SnapshotFixture.shared()
            for number in 0..<40 { try await fixture.create("filler\(number)") }
            try await fixture.create("log")
            let writer = Task {
                for number in 0... {
                    guard !Task.isCancelled else { return }
                    try await fixture.insert([document(1)], "made\(number)")
                    try await fixture.insert([document(Int32(number))], "log")
                }
            }
            for _ in 0..<5 {
                let report = try await fixture.backup()
                let namespaces = report.manifest.namespaces
                let made = namespaces.filter {
                    $0.descriptor.namespace.collection.hasPrefix("made")
                        && $0.totals.documentCount == 1
                }
                let logged = namespaces.first { $0.descriptor.namespace.collection == "log" }
                #expect(UInt64(made.count) >= logged?.totals.documentCount ?? 0)
            }
            writer.cancel()
            _ = await writer.result
            try await fixture.drop()
        }
    }
}
