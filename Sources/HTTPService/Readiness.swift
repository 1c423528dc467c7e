internal import AccessControl
internal import Operations
internal import ServiceState
internal import Synchronization

/// Whether backups and restores can be made: state, repository, database server and keys are there.
struct Readiness: Sendable {
    /// One of the things that have to be there.
    struct Check: Sendable {
        var name: String
        var isReady: Bool
        /// Why not; nil when it is.
        var code: String?
    }

    let state: StateStore
    let snapshots: SnapshotLibrary
    let verifier: TokenVerifier

    /// Looks at all of them at once.
    func checks() async -> [Check] {
        async let server = check("database") { try await snapshots.checkServer() }
        async let repository = check("repository") { try await snapshots.checkRepository() }
        async let records = check("state") { try await state.checkWritable() }
        let keys = Check(
            name: "keys", isReady: verifier.keySetStatus?.keyCount != 0,
            code: verifier.keySetStatus?.keyCount == 0 ? "no_keys" : nil)
        return await [server, repository, records, keys]
    }

    private func check(_ name: String, _ body: () async throws -> Void) async -> Check {
        do {
            try await body()
            return Check(name: name, isReady: true)
        } catch {
            return Check(name: name, isReady: false, code: JobFailure(error).code)
        }
    }
}
