import ArchiveFormat
import BSONBytes
import MongoDriver
import PrivateServer
import Testing

@testable import Snapshots

/// Swaps that keep what they displace, cut off anywhere and tried again: nothing is lost, and
/// nothing is kept that never was.
@Suite(.needsServer) struct CollectionSwapTests {
    private struct Scene {
        let fixture: SnapshotFixture
        let swap: CollectionSwap
        let wasThere: Bool

        init(wasThere: Bool) async throws {
            fixture = try await SnapshotFixture.shared()
            self.wasThere = wasThere
            try await fixture.insert([document(2)], "incoming")
            if wasThere { try await fixture.insert([document(1)], "live") }
            let keeping = Keeping(
                job: JobID(kind: "restore", fixture.environment), expiry: 4_000_000_000)
            swap = CollectionSwap(
                live: Namespace(fixture.database, "live"), keeping: keeping, pool: fixture.pool)
        }

        var kept: KeptName {
            KeptName(
                job: swap.keeping.job, expiry: swap.keeping.expiry, was: wasThere ? .live : .absent,
                collection: "live")
        }

        func rename(_ source: String, to target: String) async throws {
            let database = fixture.database
            try await fixture.pool.withConnection { connection in
                try await connection.renameCollection(
                    from: "\(database).\(source)", to: "\(database).\(target)",
                    dropTarget: false)
            }
        }

        /// What a swap has done when it is cut off behind so many of its steps.
        func take(steps count: Int) async throws {
            let displaced = SwapName(kept).description
            if count > 0 {
                if wasThere {
                    try await rename("live", to: displaced)
                } else {
                    try await fixture.create(displaced, BSONDocument { _ in })
                }
            }
            if count > 1 { try await rename("incoming", to: "live") }
            if count > 2 { try await rename(displaced, to: kept.description) }
        }

        func check() async throws {
            let collections = try await fixture.state().collections
            #expect(Set(collections.keys) == ["live", kept.description])
            #expect(collections["live"]?.documents.count == 1)
            #expect(try await fixture.documents("live") == [document(2)])
            let old = wasThere ? [document(1)] : []
            #expect(try await fixture.documents(kept.description) == old)
            try await fixture.drop()
        }
    }

    @Test(arguments: 0...3, [true, false])
    func aSwapThatWasCutOffIsCompleted(_ stepCount: Int, _ wasThere: Bool) async throws {
        let scene = try await Scene(wasThere: wasThere)
        try await scene.take(steps: stepCount)
        try await scene.swap.run(with: "incoming", isRepetition: true)
        try await scene.check()
    }

    /// What was loaded is gone, as after a rollback.
    @Test(arguments: [true, false])
    func withoutWhatIsToBeSwappedInTheOldStays(_ isRepetition: Bool) async throws {
        let scene = try await Scene(wasThere: true)
        try await scene.fixture.dropCollection("incoming")
        await #expect(throws: MongoError.self) {
            try await scene.swap.run(with: "incoming", isRepetition: isRepetition)
        }
        #expect(try await scene.fixture.documents("live") == [document(1)])
        #expect(try await scene.fixture.state().collections.count == 1)
        try await scene.fixture.drop()
    }

    @Test(arguments: [true, false])
    func aSwapAtOnceIsTheSame(_ wasThere: Bool) async throws {
        let scene = try await Scene(wasThere: wasThere)
        try await scene.swap.run(with: "incoming")
        try await scene.check()
    }
}
