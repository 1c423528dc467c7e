import Foundation
import ObjectStorage
import Synchronization
import Testing

@testable import Snapshots

private let rs0 = Deployment(replicaSet: "rs0", hosts: ["a:1", "b:1"])

private func environment() -> JobEnvironment {
    JobEnvironment(
        now: { Int64(Date().timeIntervalSince1970 * 1000) }, random: { .random(in: 0 ... .max) })
}

private func id(_ number: UInt64) -> SnapshotID {
    SnapshotID(milliseconds: 0, kind: "manual", random: number)
}

private func filter(
    _ included: [String] = [], not excluded: [String] = [], db: String? = nil
) throws -> NamespaceFilter {
    NamespaceFilter(
        database: db, included: try included.map { try NamespacePattern($0) },
        excluded: try excluded.map { try NamespacePattern($0) })
}

/// Counts who is in it.
private final class Room: Sendable {
    private let counts = Mutex((inside: 0, total: 0))

    var total: Int { counts.withLock { $0.total } }

    func enter() -> Int {
        counts.withLock {
            $0.inside += 1
            $0.total += 1
            return $0.inside
        }
    }

    func leave() { counts.withLock { $0.inside -= 1 } }
}

@Suite struct LockTests {
    private let folder: TemporaryFolder
    private let store: FileSystemStore
    private let locks: RepositoryLocks

    init() async throws {
        folder = try TemporaryFolder()
        store = try await FileSystemStore(folder: folder.path, create: true)
        locks = RepositoryLocks(store, environment: environment())
    }

    private func backup(_ filter: NamespaceFilter) -> LockClaim { .backup(of: filter, on: rs0) }

    private func restore(
        _ filter: NamespaceFilter, _ renames: [String] = [], of snapshot: SnapshotID = id(1)
    ) throws -> LockClaim {
        var options = Restore.Options(mode: .replace, width: 1)
        options.filter = filter
        options.renames = try renames.map { try NamespaceRename($0) }
        return .restore(of: snapshot, to: rs0, options)
    }

    private func removal(_ snapshot: SnapshotID) -> LockClaim {
        var claim = LockClaim(.delete)
        claim.removes = [snapshot]
        return claim
    }

    /// Whether the second can be had while the first is held.
    private func areBothHad(_ first: LockClaim, _ second: LockClaim) async throws -> Bool {
        try await locks.withLock(first, observer: RecordingObserver()) {
            do {
                return try await locks.withLock(second, observer: RecordingObserver()) { true }
            } catch let error as SnapshotError where error.code == .locked {
                return false
            }
        }
    }

    private func expect(_ first: LockClaim, _ second: LockClaim, areBothHad expected: Bool)
        async throws
    {
        #expect(try await areBothHad(first, second) == expected, "\(first) \(second)")
        #expect(try await areBothHad(second, first) == expected, "\(second) \(first)")
        #expect(try folder.contents == [])
    }

    @Test func whatExcludesEachOther() async throws {
        let everything = try filter()
        try await expect(backup(everything), backup(try filter(db: "shop")), areBothHad: false)
        try await expect(
            backup(try filter(["shop.*"])), try restore(try filter(["*.orders"])),
            areBothHad: false)
        // A restore is where its collections end up.
        try await expect(
            backup(try filter(["copy.*"])), try restore(try filter(["shop.*"]), ["shop.*=copy.*"]),
            areBothHad: false)
        try await expect(try restore(everything), try restore(everything), areBothHad: false)
        try await expect(removal(id(1)), try restore(everything), areBothHad: false)
        try await expect(removal(id(1)), .reading([id(1)], as: .verify), areBothHad: false)
        try await expect(removal(id(1)), removal(id(1)), areBothHad: false)
        var administration = LockClaim(.prune)
        administration.isAdministration = true
        try await expect(administration, administration, areBothHad: false)
    }

    @Test func whatDoesNot() async throws {
        let reading = LockClaim.reading([id(1)], as: .read)
        try await expect(reading, reading, areBothHad: true)
        try await expect(reading, try restore(try filter()), areBothHad: true)
        try await expect(
            backup(try filter(db: "shop")), backup(try filter(db: "mail")), areBothHad: true)
        try await expect(
            backup(try filter(["shop.*"], not: ["shop.cache*"])),
            backup(try filter(["shop.cache.*"])), areBothHad: true)
        try await expect(
            backup(try filter(["shop.*"])), try restore(try filter(["shop.*"]), ["shop.*=copy.*"]),
            areBothHad: true)
        let elsewhere = LockClaim.backup(
            of: try filter(), on: Deployment(replicaSet: "rs0", hosts: ["c:1"]))
        try await expect(backup(try filter()), elsewhere, areBothHad: true)
        try await expect(removal(id(1)), .reading([id(2)], as: .verify), areBothHad: true)
        var administration = LockClaim(.prune)
        administration.isAdministration = true
        try await expect(administration, removal(id(1)), areBothHad: true)
        try await expect(administration, backup(try filter()), areBothHad: true)
    }

    @Test func aConflictNamesWhoItIs() async throws {
        let claim = backup(try filter())
        try await locks.withLock(claim, observer: RecordingObserver()) {
            let error = await #expect(throws: SnapshotError.self) {
                try await locks.withLock(claim, observer: RecordingObserver()) {}
            }
            let message = try #require(error?.message)
            #expect(error?.code == .locked)
            #expect(message.contains("a backup by process \(getpid()) on \(OwnerToken.hostName)"))
            #expect(message.contains("since 20") && message.contains("collections of rs0"))
            let listed = try await locks.list()
            #expect(listed.map(\.claim) == [claim] && listed.map(\.isHeld) == [true])
        }
    }

    @Test func whatABodyThrowsIsThrownAndTheLockIsGone() async throws {
        struct Oops: Error {}
        await #expect(throws: Oops.self) {
            try await locks.withLock(backup(try filter()), observer: RecordingObserver()) {
                throw Oops()
            }
        }
        #expect(try folder.contents == [])
    }

    // MARK: Locks of others

    /// Puts a lock there as a process that `owner` names would.
    private func leave(_ claim: LockClaim, owner: String, secondsAgo: Double) async throws {
        try await locks.withLock(claim, observer: RecordingObserver()) {
            let name = try #require(try folder.contents.first)
            let random = name.split(separator: ".")[1]
            let path = "\(folder.path)/.\(owner).\(random).lock"
            try FileManager.default.copyItem(atPath: "\(folder.path)/\(name)", toPath: path)
            try FileManager.default.setAttributes(
                [.modificationDate: Date().addingTimeInterval(-secondsAgo)], ofItemAtPath: path)
        }
    }

    @Test func aLockWhoseOwnerIsDeadIsBrokenWithAWarning() async throws {
        let host = OwnerToken.current.description.prefix(8)
        try await leave(
            backup(try filter()), owner: "\(host)-\(getpid())-00000000", secondsAgo: 0)
        let observer = RecordingObserver()
        try await locks.withLock(backup(try filter()), observer: observer) {
            let names = try folder.contents
            #expect(names.count == 1)
        }
        #expect(observer.notices.count == 1)
        #expect(observer.notices.allSatisfy { $0.contains("broke the lock of a backup") })
    }

    @Test func theLockOfAKilledProcessIsBroken() async throws {
        let path = folder.path
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in
            let store = try await FileSystemStore(folder: path, create: false)
            var claim = LockClaim(.prune)
            claim.isAdministration = true
            try await RepositoryLocks(
                store, environment: JobEnvironment(now: { 0 }, random: { 7 })
            ).withLock(claim, observer: RecordingObserver()) { _ = kill(getpid(), SIGKILL) }
        }
        #expect(try folder.contents.count == 1)
        var claim = LockClaim(.prune)
        claim.isAdministration = true
        let observer = RecordingObserver()
        try await locks.withLock(claim, observer: observer) {}
        #expect(observer.notices.count == 1)
    }

    /// A process may have several, whatever its dice say.
    @Test func locksOfOneProcessHaveTheirOwnNames() async throws {
        let locks = RepositoryLocks(
            store, environment: JobEnvironment(now: { 0 }, random: { 7 }))
        let claim = LockClaim.reading([id(1)], as: .read)
        try await locks.withLock(claim, observer: RecordingObserver()) {
            try await locks.withLock(claim, observer: RecordingObserver()) {
                let names = try folder.contents
                #expect(names.count == 2)
            }
            let names = try folder.contents
            #expect(names.count == 1)
        }
    }

    @Test func aLockOfAnotherHostIsBrokenOnceItIsSilent() async throws {
        try await leave(backup(try filter()), owner: "00000000-1-00000000", secondsAgo: 200)
        let error = await #expect(throws: SnapshotError.self) {
            try await locks.withLock(backup(try filter()), observer: RecordingObserver()) {}
        }
        #expect(error?.code == .locked)
        let name = try #require(try folder.contents.first)
        try FileManager.default.setAttributes(
            [.modificationDate: Date().addingTimeInterval(-400)],
            ofItemAtPath: "\(folder.path)/\(name)")
        let observer = RecordingObserver()
        try await locks.withLock(backup(try filter()), observer: observer) {}
        #expect(observer.notices.count == 1, "\(observer.notices)")
        #expect(try folder.contents == [])
    }

    @Test func aLockThatCantBeReadIsInTheWayUntilItIsSilent() async throws {
        _ = try folder.file(".00000000-1-00000000.1.lock", Array("{}".utf8))
        await #expect(throws: SnapshotError.self) {
            try await locks.withLock(
                .reading([id(1)], as: .read), observer: RecordingObserver()
            ) {}
        }
        try FileManager.default.setAttributes(
            [.modificationDate: Date().addingTimeInterval(-400)],
            ofItemAtPath: folder.path + "/.00000000-1-00000000.1.lock")
        try await locks.withLock(.reading([id(1)], as: .read), observer: RecordingObserver()) {}
    }

    @Test func aHeldLockGivesSignsOfLife() async throws {
        let locks = RepositoryLocks(
            store, environment: environment(), heartbeat: .milliseconds(20))
        try await locks.withLock(.reading([id(1)], as: .read), observer: RecordingObserver()) {
            let path = "\(folder.path)/\(try #require(try folder.contents.first))"
            try FileManager.default.setAttributes(
                [.modificationDate: Date(timeIntervalSince1970: 1)], ofItemAtPath: path)
            var isTouched = false
            for _ in 0..<500 where !isTouched {
                try await Task.sleep(for: .milliseconds(10))
                isTouched = try await locks.list().allSatisfy { $0.heartbeatSeconds > 1000 }
            }
            #expect(isTouched)
        }
    }

    /// Twenty at once, each of which wants what the others want.
    @Test func ofManyExactlyOneHoldsItAtATime() async throws {
        let claim = backup(try filter())
        let room = Room()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<20 {
                group.addTask { [folder] in
                    let store = try await FileSystemStore(folder: folder.path, create: false)
                    let locks = RepositoryLocks(store, environment: environment())
                    try await locks.withLock(
                        claim, waitSeconds: 600, observer: RecordingObserver()
                    ) {
                        #expect(room.enter() == 1)
                        try await Task.sleep(for: .milliseconds(2))
                        room.leave()
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(room.total == 20)
        #expect(try folder.contents == [])
    }

    /// None waits: one at least gets it, and those that do not are told. Not even when all the time
    /// there is for it has passed at the first look, as after a pause of the whole machine.
    @Test(arguments: 0..<10) func ofManyThatDoNotWaitOneGetsIt(_ round: Int) async throws {
        let claim = backup(try filter())
        let room = Room()
        var locks = locks
        locks.decisionSecondsMin = round.isMultiple(of: 2) ? 5 : 0
        let had = try await withThrowingTaskGroup(of: Bool.self, returning: Int.self) { group in
            for _ in 0..<8 {
                group.addTask { [locks] in
                    do {
                        return try await locks.withLock(claim, observer: RecordingObserver()) {
                            #expect(room.enter() == 1)
                            try await Task.sleep(for: .milliseconds(50))
                            room.leave()
                            return true
                        }
                    } catch let error as SnapshotError where error.code == .locked {
                        return false
                    }
                }
            }
            return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(had >= 1)
        #expect(try folder.contents == [])
    }

    /// Root may write anywhere, so that the store says it instead of the file system.
    @Test func aRepositoryThatIsOnlyForReadingIsReadWithoutALock() async throws {
        let error = ObjectStorageError(.notWritable, "cannot write", path: "/r")
        let locks = RepositoryLocks(
            CountingStore(store: store, refusal: error), environment: environment())
        let observer = RecordingObserver()
        let result = try await locks.withLock(
            .reading([id(1)], as: .verify), observer: observer
        ) { 7 }
        #expect(result == 7 && observer.notices == [])
        // A restore writes to a server, which a full or forbidden disk must not keep it from.
        try await locks.withLock(try restore(try filter()), observer: observer) {}
        #expect(observer.notices.count == 1)
        for claim in [backup(try filter()), removal(id(1))] {
            await #expect(throws: ObjectStorageError.self) {
                try await locks.withLock(claim, observer: observer) {}
            }
        }
    }

    /// What makes room again may begin without a lock, but not against one.
    @Test func whereThereIsNoRoomForALockSnapshotsCanStillBeRemoved() async throws {
        let error = ObjectStorageError(.noSpace, "cannot write", path: "/r")
        let full = RepositoryLocks(
            CountingStore(store: store, refusal: error), environment: environment())
        try await full.withLock(removal(id(1)), observer: RecordingObserver()) {}
        try await locks.withLock(.reading([id(1)], as: .read), observer: RecordingObserver()) {
            let error = await #expect(throws: SnapshotError.self) {
                try await full.withLock(removal(id(1)), observer: RecordingObserver()) {}
            }
            #expect(error?.code == .locked)
        }
    }
}
