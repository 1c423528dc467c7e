import ArchiveFormat
import Foundation
import ObjectStorage
import Testing

@testable import Snapshots

/// What is within the limits fits a lock's file, whatever it is made of; what is beyond is an error
/// where it is asked for.
@Suite struct SelectionLimitsTests {
    private let folder: TemporaryFolder
    private let locks: RepositoryLocks
    /// As many members as a replica set can have, with the longest names.
    private let deployment = Deployment(
        replicaSet: String(repeating: "r", count: 127),
        hosts: (0..<50).map { String(repeating: "h", count: 250) + "\($0):27017" })

    init() async throws {
        folder = try TemporaryFolder()
        let store = try await FileSystemStore(folder: folder.path, create: true)
        locks = RepositoryLocks(store, environment: .system)
    }

    private static let characters = ["a", "é", "\u{1}", "\"", "\\\\", "😀", "\u{2028}", "\u{7F}"]

    /// Patterns of one character, so many that one more byte each would be too much.
    private static func patterns(of character: String, count: Int) throws -> [NamespacePattern] {
        let share = SelectionLimits.byteCountMax / count
        let size = SelectionLimits.jsonByteCount(character)
        let length = min(
            (share - 8) / size, (SelectionLimits.patternByteCountMax - 8) / character.utf8.count)
        return try (0..<count).map { number in
            try NamespacePattern("\(number).*" + String(repeating: character, count: length))
        }
    }

    @Test(arguments: characters, [1, 32, 250, 500])
    func theLargestSelectionIsLockedAndReadBack(_ character: String, _ count: Int) async throws {
        let patterns = try Self.patterns(of: character, count: count)
        for isExcluded in [false, true] {
            let filter = NamespaceFilter(
                database: String(repeating: "d", count: SelectionLimits.databaseByteCountMax),
                included: isExcluded ? [] : patterns, excluded: isExcluded ? patterns : [])
            try SelectionLimits.check(filter)
            try await locks.withLock(
                .backup(of: filter, on: deployment), observer: RecordingObserver()
            ) {
                let held = try await locks.list().map(\.claim.namespaces?.selections)
                #expect(held == [[filter]])
            }
        }
    }

    @Test(arguments: characters)
    func theMostRenamesAreLocked(_ character: String) async throws {
        let patterns = try Self.patterns(of: character, count: SelectionLimits.patternCountMax)
        var options = Restore.Options(mode: .replace, width: 1)
        options.renames = try stride(from: 0, to: patterns.count, by: 2).map {
            try NamespaceRename(from: patterns[$0].text, to: patterns[$0 + 1].text)
        }
        try SelectionLimits.check(options.filter, renames: options.renames)
        let claim = LockClaim.restore(
            of: SnapshotID(milliseconds: 0, kind: "manual", random: 1), to: deployment, options)
        try await locks.withLock(claim, observer: RecordingObserver()) {
            let held = try await locks.list().map(\.claim)
            #expect(held == [claim])
        }
    }

    @Test func whatIsBeyondIsAnError() throws {
        let many = try (0...SelectionLimits.patternCountMax).map {
            try NamespacePattern("d\($0).*")
        }
        let long = try (0..<200).map {
            try NamespacePattern("d\($0)." + String(repeating: "x", count: 205))
        }
        let rename = try NamespaceRename("a.*=b.*")
        let filters: [(NamespaceFilter, [NamespaceRename])] = [
            (NamespaceFilter(included: many), []), (NamespaceFilter(excluded: many), []),
            (NamespaceFilter(included: Array(many.dropFirst())), [rename]),
            (NamespaceFilter(included: long), []),
            (NamespaceFilter(database: String(repeating: "d", count: 64)), []),
        ]
        for (filter, renames) in filters {
            let error = #expect(throws: SnapshotError.self) {
                try SelectionLimits.check(filter, renames: renames)
            }
            #expect(error?.code == .usage)
        }
    }

    /// An older Cairn's lock of a larger selection is in the way of everything there, and says who
    /// has it.
    @Test func aLockBeyondTheLimitsCountsAsEverything() async throws {
        let names = (0..<600).map { "\"d\($0).*\"" }.joined(separator: ",")
        let claim = LockClaim.backup(of: NamespaceFilter(), on: deployment)
        let owner = "\(OwnerToken.current).1-1"
        try await locks.withLock(claim, observer: RecordingObserver()) {
            let lock = try #require(try await locks.list().first)
            let text = String(decoding: try lock.text, as: UTF8.self)
                .replacing("\"ns_include\":[]", with: "\"ns_include\":[\(names)]")
            let read = try RepositoryLock(
                name: owner, owner: lock.owner, text: Array(text.utf8), heartbeatSeconds: 0)
            #expect(read.claim.namespaces?.selections == [NamespaceFilter()])
            #expect(read.processID == lock.processID)
        }
    }

    /// Whatever is asked of it, the store answers with an error.
    @Test func aMarkThatIsTooLongIsAnError() async throws {
        let store = try await FileSystemStore(folder: folder.path, create: true)
        let bytes = [UInt8](repeating: 0x20, count: MarkKind.byteCountMax + 1)
        await #expect(throws: ObjectStorageError.self) {
            try await store.writeMark(bytes, "a", MarkKind(suffix: ".test", isDurable: false))
        }
        #expect(try folder.contents == [])
    }
}
