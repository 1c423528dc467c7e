internal import ArchiveFormat
internal import BSONBytes
internal import MongoDriver
internal import Synchronization

/// What every part of a restore needs.
struct RestoreContext: Sendable {
    let pool: MongoPool
    let server: ServerInfo
    let observer: any JobObserver
    let batchDocumentCount: Int
    let pacer: WritePacer
    let endurance: Endurance
    var continuity: Continuity
    /// How options and indexes of the archive are read.
    let rules: DefinitionRules
    /// What the user may do.
    let privileges: UserPrivileges
    let changes = LiveChanges()
    let cancellation = CommitCancellation()
    /// Nil when nothing that is displaced is kept.
    var keeping: Keeping?
    /// The archive's; nil for one without an index.
    var seal: SHA256Digest?

    /// Returns when a majority has all that the primary has now.
    ///
    /// - Parameter namespace: any that the user may read; nil when nothing was written.
    func waitForMajority(reading namespace: Namespace?) async throws {
        guard let namespace else { return }
        do {
            try await endurance.run { _ in
                try await pool.withConnection { connection in
                    try await connection.waitForMajority(
                        reading: namespace.collection, in: namespace.database)
                }
            }
        } catch let error as MongoError where changes.explainsRefusal(error) {
            return
        }
    }

    /// Whether another primary, or another start of it, answers than at the last look.
    func isBroken() async throws -> Bool {
        continuity.look(try await incarnation())
    }

    func incarnation() async throws -> BSONDocument {
        try await endurance.run { _ in
            try await pool.withConnection { try await $0.incarnation() }
        }
    }

    /// What a staging collection for it holds in the end; nil when none could resume it.
    func load(of choice: RestorePlan.Choice) -> StagedLoad? {
        seal.map { StagedLoad(choice.descriptor.namespace, of: $0, as: choice.target) }
    }
}

/// That the restore was cancelled, for the tasks of its commit, which are not: they end where that
/// leaves live data as it was.
final class CommitCancellation: Sendable {
    private let isNoted = Atomic<Bool>(false)

    func note() { isNoted.store(true, ordering: .relaxed) }

    /// - Throws: `CancellationError` once the restore was cancelled.
    func check() throws {
        if isNoted.load(ordering: .relaxed) { throw CancellationError() }
    }
}
