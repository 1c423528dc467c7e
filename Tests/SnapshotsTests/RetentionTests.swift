import ArchiveFormat
import Foundation
import ObjectStorage
import Testing

@testable import Snapshots

private let day: Int64 = 86_400_000
private let now: Int64 = 20_000 * day

/// A generator with a seed that is printed when a test fails.
private struct Dice: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }

    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }
}

private func overview(
    daysAgo: Double, kind: String = "manual", random: UInt64 = 1, isVerified: Bool = false,
    isDamaged: Bool = false, hasLoss: Bool = false
) throws -> SnapshotCatalog.Overview {
    let moment = now - Int64(daysAgo * Double(day))
    let id = SnapshotID(milliseconds: moment, kind: kind, random: random)
    var manifest = Manifest(
        id: id.description, tool: "t", startedAt: moment,
        source: .init(hosts: [], serverVersion: "6.0.0", replicaSet: nil), consistency: .none,
        selection: .init(), compression: .standard)
    if hasLoss { manifest.loss = .init(chunkCount: 1, documentCount: nil, mayBeMore: false) }
    let seal = try #require(SHA256Digest(bytes: [UInt8](repeating: 1, count: 32)))
    return SnapshotCatalog.Overview(
        id: id, key: "\(id).archive.gz", storedByteCount: 10,
        facts: isDamaged ? nil : .init(manifest, seal: seal),
        error: isDamaged ? "cut" : nil,
        verification: isVerified && !isDamaged
            ? Verification(at: moment, seal: seal, seconds: 1) : nil)
}

@Suite struct RetentionPlanTests {
    private func codes(
        _ overviews: [SnapshotCatalog.Overview], _ policy: RetentionPolicy,
        inUse: Set<SnapshotID> = []
    ) -> [[String]] {
        Retention.plan(overviews, policy, now: now, inUse: inUse).map { decision in
            [decision.action.rawValue] + decision.reasons.map(\.code.rawValue)
        }
    }

    private func policy(_ adjust: (inout RetentionPolicy) -> Void) -> RetentionPolicy {
        var policy = RetentionPolicy()
        policy.maxAgeDays = nil
        policy.maxCount = nil
        adjust(&policy)
        return policy
    }

    /// Thirty backups of a clock that was ahead would push out each new one as soon as it is made.
    @Test func whatAClockAheadHasDatedPushesNothingOut() throws {
        let ahead = try (0..<3).map { number in
            try overview(
                daysAgo: -400 - Double(number), random: UInt64(number), isVerified: number == 0)
        }
        let real = try [1.0, 2.0, 40.0].map { try overview(daysAgo: $0, isVerified: $0 == 2) }
        let found = codes(
            ahead + real,
            policy {
                $0.maxCount = 2
                $0.maxAgeDays = 30
                $0.keepLast = 1
            })
        #expect(
            found == [
                ["keep", "from_the_future"], ["keep", "from_the_future"],
                ["keep", "from_the_future"], ["keep", "keep_last"], ["keep", "last_verified"],
                ["remove", "too_old", "beyond_count"],
            ])
        let statistics = RepositoryStatistics(ahead + real, space: nil, now: now)
        #expect(statistics.lastSuccess?.id == real[0].id)
    }

    @Test func theDefaultsAreThirtyDaysAndThirtySnapshots() throws {
        var overviews = try (0..<40).map { try overview(daysAgo: Double($0) / 2) }
        overviews.append(try overview(daysAgo: 31))
        let codes = codes(overviews, RetentionPolicy())
        #expect(codes[0] == ["keep", "last_whole"])
        #expect(codes[1] == ["keep", "within_limits"])
        #expect(codes.prefix(30).allSatisfy { $0[0] == "keep" })
        #expect(codes[30...].allSatisfy { $0[0] == "remove" })
        #expect(codes.last == ["remove", "too_old", "beyond_count"])
        // Exactly thirty days is not older.
        #expect(
            self.codes(
                [try overview(daysAgo: 0), try overview(daysAgo: 30)], RetentionPolicy())[1]
                == ["keep", "within_limits"])
    }

    @Test func theNewestVerifiedIsTheFloorElseTheNewestWhole() throws {
        let policy = policy { $0.maxAgeDays = 1 }
        let verified = try [
            overview(daysAgo: 5), overview(daysAgo: 9, isVerified: true),
            overview(daysAgo: 12, isVerified: true), overview(daysAgo: 2, hasLoss: true),
        ]
        #expect(
            codes(verified, policy) == [
                ["remove", "too_old"], ["remove", "too_old"], ["keep", "too_old", "last_verified"],
                ["remove", "too_old"],
            ])
        let whole = try [overview(daysAgo: 5), overview(daysAgo: 2, hasLoss: true)]
        #expect(
            codes(whole, policy) == [["remove", "too_old"], ["keep", "too_old", "last_whole"]])
    }

    /// A restore of one collection an hour must not cost last week's backups of everything.
    @Test func whatRestoresBackedUpIsCountedByItself() throws {
        let policy = policy {
            $0.maxCount = 2; $0.keepLast = 2
        }
        let overviews = try [
            overview(daysAgo: 0, kind: "pre_restore", isVerified: true),
            overview(daysAgo: 1, kind: "pre_restore"), overview(daysAgo: 2, kind: "pre_restore"),
            overview(daysAgo: 3), overview(daysAgo: 4), overview(daysAgo: 5),
        ]
        #expect(
            codes(overviews, policy) == [
                ["keep", "within_limits"], ["keep", "within_limits"], ["remove", "beyond_count"],
                ["keep", "keep_last", "last_whole"], ["keep", "keep_last"],
                ["remove", "beyond_count"],
            ])
        #expect(
            codes([overviews[1], overviews[2]], self.policy { $0.maxAgeDays = 1 }) == [
                ["keep", "last_whole"], ["remove", "too_old"],
            ])
    }

    @Test func damagedAndUsedOnesStay() throws {
        let used = try overview(daysAgo: 50)
        let overviews = try [overview(daysAgo: 0), overview(daysAgo: 40, isDamaged: true), used]
        #expect(
            codes(overviews, RetentionPolicy(), inUse: [used.id]) == [
                ["keep", "last_whole"], ["keep", "too_old", "damaged"],
                ["keep", "too_old", "in_use"],
            ])
    }

    @Test func rulesKeepTheNewestOfADayAWeekAMonth() throws {
        // Three a day for a hundred days; day 20,000 is a Friday.
        let overviews = try (0..<300).map { try overview(daysAgo: Double($0) / 3 + 0.1) }
        func kept(_ adjust: (inout RetentionPolicy) -> Void) -> [Double] {
            var policy = policy(adjust)
            policy.maxCount = 1
            return Retention.plan(overviews, policy, now: now, inUse: [])
                .filter { $0.action == .keep }
                .map { (Double(now - $0.overview.startedAt) / Double(day) * 10).rounded() / 10 }
        }
        #expect(kept { $0.keepLast = 3 } == [0.1, 0.4, 0.8])
        #expect(kept { $0.keepDaily = 3 } == [0.1, 1.1, 2.1])
        #expect(kept { $0.keepWeekly = 3 } == [0.1, 4.1, 11.1])
        #expect(kept { $0.keepMonthly = 3 }.count == 3)
        let reasons = codes(
            overviews,
            policy {
                $0.maxCount = 1; $0.keepDaily = 2; $0.keepLast = 2
            })
        #expect(reasons[1] == ["keep", "beyond_count", "keep_last"])
        #expect(reasons[3] == ["keep", "beyond_count", "keep_daily"])
    }

    @Test func numbersAreBounded() {
        for number in [0, -1, 100_001] {
            #expect(throws: SnapshotError.self) { try policy { $0.keepWeekly = number }.check() }
            #expect(throws: SnapshotError.self) { try policy { $0.maxAgeDays = number }.check() }
        }
        #expect(throws: Never.self) { try policy { $0.maxCount = 100_000 }.check() }
    }

    // MARK: Whatever the repository

    /// What must hold of any plan; nil when it does.
    private func broken(
        _ decisions: [RetentionDecision], _ overviews: [SnapshotCatalog.Overview],
        _ inUse: Set<SnapshotID>
    ) -> String? {
        let kept = Set(decisions.filter { $0.action == .keep }.map(\.id))
        if decisions.count != overviews.count { return "each has a decision" }
        let full = overviews.filter { $0.id.kind != "pre_restore" && $0.facts != nil }
        let eligible = full.isEmpty ? overviews : full
        let verified = eligible.filter(\.isVerified).max { $0.startedAt < $1.startedAt }
        let whole = eligible.filter(\.isWhole).max { $0.startedAt < $1.startedAt }
        if let floor = verified ?? whole, !kept.contains(floor.id) { return "the floor is kept" }
        if !inUse.intersection(overviews.map(\.id)).isSubset(of: kept) { return "used ones stay" }
        if overviews.contains(where: { $0.isDamaged && !kept.contains($0.id) }) {
            return "damaged ones stay"
        }
        if decisions.contains(where: \.reasons.isEmpty) { return "each has a reason" }
        return nil
    }

    private func randomCase(
        _ dice: inout Dice
    ) throws -> ([SnapshotCatalog.Overview], RetentionPolicy, Set<SnapshotID>) {
        let overviews = try (0..<Int.random(in: 0...40, using: &dice)).map { number in
            try overview(
                daysAgo: Double.random(in: 0...100, using: &dice),
                kind: Int.random(in: 0..<3, using: &dice) == 0 ? "pre_restore" : "manual",
                random: UInt64(number),
                isVerified: Int.random(in: 0..<5, using: &dice) == 0,
                isDamaged: Int.random(in: 0..<8, using: &dice) == 0,
                hasLoss: Int.random(in: 0..<8, using: &dice) == 0)
        }
        func number() -> Int? {
            Bool.random(using: &dice) ? nil : Int.random(in: 1...20, using: &dice)
        }
        var policy = RetentionPolicy()
        (policy.maxAgeDays, policy.maxCount) = (number(), number())
        (policy.keepLast, policy.keepDaily) = (number(), number())
        (policy.keepWeekly, policy.keepMonthly) = (number(), number())
        let inUse = overviews.filter { _ in Int.random(in: 0..<10, using: &dice) == 0 }.map(\.id)
        return (overviews, policy, Set(inUse))
    }

    @Test func invariantsHoldWhateverTheRepository() throws {
        for seed in UInt64(1)...400 {
            var dice = Dice(seed: seed)
            let (overviews, policy, inUse) = try randomCase(&dice)
            let decisions = Retention.plan(overviews, policy, now: now, inUse: inUse)
            #expect(broken(decisions, overviews, inUse) == nil, "seed \(seed)")
            #expect(
                Retention.plan(overviews.shuffled(using: &dice), policy, now: now, inUse: inUse)
                    == decisions, "seed \(seed)")
            // What is left is left alone.
            let left = decisions.filter { $0.action == .keep }.map(\.overview)
            let again = Retention.plan(left, policy, now: now, inUse: inUse)
            #expect(again.allSatisfy { $0.action == .keep }, "seed \(seed)")
        }
    }

    /// The checker notices a plan that removes what it must not.
    @Test func aPlanThatRemovesEverythingIsFound() throws {
        let overviews = try [overview(daysAgo: 1, isVerified: true), overview(daysAgo: 2)]
        var decisions = Retention.plan(overviews, RetentionPolicy(), now: now, inUse: [])
        decisions[0].action = .remove
        #expect(broken(decisions, overviews, []) == "the floor is kept")
        decisions[0].action = .keep
        decisions[1].action = .remove
        #expect(broken(decisions, overviews, [overviews[1].id]) == "used ones stay")
    }
}

@Suite struct RetentionTests {
    private func locks(
        _ repository: MadeRepository, neededSoon: Set<SnapshotID> = []
    ) -> RepositoryLocks {
        RepositoryLocks(
            repository.store,
            environment: JobEnvironment(now: { now }, random: { .random(in: 0 ... .max) })
        ) { neededSoon }
    }

    private func retention(
        _ repository: MadeRepository, _ adjust: (inout RetentionPolicy) -> Void = { _ in }
    ) -> Retention {
        var policy = RetentionPolicy()
        adjust(&policy)
        return Retention(
            repository.catalog, policy, locks: locks(repository),
            environment: JobEnvironment(now: { now }, random: { 0 }),
            observer: RecordingObserver())
    }

    private func removal(_ repository: MadeRepository) -> SnapshotRemoval {
        SnapshotRemoval(
            repository.catalog, locks: locks(repository), observer: RecordingObserver())
    }

    @Test func aDryRunTellsWhatARunDoesAndASecondRunDoesNothing() async throws {
        let repository = try await MadeRepository()
        for number in 0..<12 { try await repository.add(20_000 - number * 4) }
        let floor = try await repository.add(20_000 - 60)
        try await repository.verify(floor)
        try await repository.verify(try await repository.add(20_000 - 61))
        let before = try repository.folder.contents
        let dry = try await retention(repository) { $0.maxCount = 5 }.run(isDryRun: true)
        #expect(try repository.folder.contents == before)
        let report = try await retention(repository) { $0.maxCount = 5 }.run(isDryRun: false)
        #expect(report.decisions == dry.decisions)
        #expect(report.freedByteCount == dry.freedByteCount && report.freedByteCount > 0)
        #expect(report.removed.count == 8 && report.failures.isEmpty)
        #expect(report.kept.contains { $0.id == floor })
        let left = try await repository.catalog.overviews().map(\.id)
        #expect(left == report.kept.map(\.id).reversed())
        // The note of the one that was verified and went is gone with it.
        #expect(try repository.folder.contents.count == left.count + 1)
        let again = try await retention(repository) { $0.maxCount = 5 }.run(isDryRun: false)
        #expect(again.removed.isEmpty && again.freedByteCount == 0)
    }

    @Test func whatAJobUsesStays() async throws {
        let repository = try await MadeRepository()
        let used = try await repository.add(1)
        let unused = try await repository.add(2)
        try await repository.add(20_000)
        try await locks(repository).withLock(
            .reading([used], as: .verify), observer: RecordingObserver()
        ) {
            let report = try await retention(repository).run(isDryRun: false)
            #expect(report.removed.map(\.id) == [unused])
            let error = await #expect(throws: SnapshotError.self) {
                try await removal(repository).run(used, isForced: true)
            }
            #expect(error?.code == .locked)
        }
        #expect(try await removal(repository).run(used, isForced: false).id == used)
        #expect(try await repository.catalog.overviews().count == 1)
    }

    /// A job that waits for its turn holds no lock yet.
    @Test func whatAWaitingJobWillNeedStays() async throws {
        let repository = try await MadeRepository()
        let needed = try await repository.add(20_000 - 9)
        for day in 1...3 { try await repository.add(20_000 - day) }
        let locks = locks(repository, neededSoon: [needed])
        var policy = RetentionPolicy()
        policy.maxCount = 1
        let report = try await Retention(
            repository.catalog, policy, locks: locks,
            environment: JobEnvironment(now: { now }, random: { 0 }),
            observer: RecordingObserver()
        ).run(isDryRun: false)
        #expect(report.removed.count == 2 && report.failures.isEmpty)
        let kept = try #require(report.kept.first { $0.id == needed })
        #expect(kept.reasons.contains { $0.code == .inUse })
        let error = await #expect(throws: SnapshotError.self) {
            try await SnapshotRemoval(
                repository.catalog, locks: locks, observer: RecordingObserver()
            ).run(needed, isForced: true)
        }
        #expect(error?.code == .locked)
        #expect(try await removal(repository).run(needed, isForced: true).id == needed)
    }

    @Test func theLastThatIsKnownToBeWholeIsOnlyRemovedByForce() async throws {
        let repository = try await MadeRepository()
        let verified = try await repository.add(1)
        let newer = try await repository.add(2)
        try await repository.verify(verified)
        let error = await #expect(throws: SnapshotError.self) {
            try await removal(repository).run(verified, isForced: false)
        }
        #expect(error?.code == .lastVerified)
        #expect(try await removal(repository).run(verified, isForced: true).freedByteCount > 0)
        let last = await #expect(throws: SnapshotError.self) {
            try await removal(repository).run(newer, isForced: false)
        }
        #expect(last?.code == .lastVerified)
        let absent = await #expect(throws: SnapshotError.self) {
            try await removal(repository).run(verified, isForced: true)
        }
        #expect(absent?.code == .notFound)
        #expect(try repository.folder.contents == ["\(newer).archive.gz"])
    }

    @Test func statisticsAreThoseOfTheSnapshots() async throws {
        let repository = try await MadeRepository()
        let first = try await repository.add(20_000 - 10)
        let second = try await repository.add(20_000 - 5, kind: "scheduled")
        try await repository.add(20_000, kind: "salvaged")
        try await repository.verify(first, at: 77)
        let statistics = try await RepositoryStatistics(repository.catalog, now: now)
        #expect(statistics.count == 3 && statistics.damagedCount == 0)
        #expect(statistics.countsByKind.map(\.kind) == ["manual", "salvaged", "scheduled"])
        #expect(statistics.documentCount == 9)
        #expect(statistics.lastSuccess?.id == second)
        #expect(statistics.lastVerified == .init(id: first, at: 77))
        #expect(statistics.oldest?.id == first && statistics.newest?.at == now)
        let taken = statistics.storedByteCount / 3 * 2
        #expect(abs((statistics.growthBytesPerDay ?? 0) - Double(taken) / 10) < 5)
        #expect(statistics.totalByteCount ?? 0 > statistics.freeByteCount ?? .max)
        // A monitor must not be told of a success that is none any more.
        try await repository.verify(second, at: 78, error: "a chunk is damaged")
        let damaged = try await RepositoryStatistics(repository.catalog, now: now)
        #expect(damaged.lastSuccess?.id == first && damaged.damagedCount == 1)
        let empty = RepositoryStatistics([], space: nil, now: now)
        #expect(empty.ratio == nil && empty.newest == nil && empty.growthBytesPerDay == nil)
    }
}
