internal import ArchiveFormat
internal import MongoDriver
internal import Synchronization

/// What of a restore is live already, so that a failure says what there is now and the way back.
final class LiveChanges: Sendable {
    /// Namespaces that are named one by one; of more, the number.
    private static let nameCountMax = 20

    private let namespaces = Mutex<Set<Namespace>>([])
    private let hasNewRights = Mutex(false)

    /// Takes note that users and roles are the archive's from now on.
    func noteNewRights() {
        hasNewRights.withLock { $0 = true }
    }

    /// Whether the server refuses the user because of what the restore has done itself. Whatever
    /// comes after that is proof only: a majority had all of it before.
    func explainsRefusal(_ error: MongoError) -> Bool {
        [.unauthorized, .authentication].contains(error.code) && hasNewRights.withLock { $0 }
    }

    /// Takes note of a namespace that is the snapshot's from now on.
    func note(_ namespace: Namespace) {
        namespaces.withLock { _ = $0.insert(namespace) }
    }

    /// - Parameters:
    ///   - options: what was asked for.
    ///   - observer: is told what an error of another layer can't say.
    /// - Returns: the same error when nothing was changed; else one that says what was, and the way
    ///   out.
    func explained(
        _ error: any Error, _ options: Restore.Options, _ observer: any JobObserver
    ) -> any Error {
        guard let facts = facts(options) else { return error }
        func partial(_ code: SnapshotError.Code, _ text: String) -> SnapshotError {
            SnapshotError(code, text, alreadyLive: facts)
        }
        switch error {
        case let error as MongoError:
            return partial(.init(rawValue: error.code.rawValue), error.description)
        case let error as SnapshotError: return partial(error.code, error.message)
        case is CancellationError: return partial(.cancelled, "cancelled")
        default:
            observer.noticed(facts)
            return error
        }
    }

    /// What is live already, and the way out; nil when nothing was changed.
    private func facts(_ options: Restore.Options) -> String? {
        let names = namespaces.withLock { $0 }.map(\.description).sorted()
        guard !names.isEmpty else { return nil }
        let rest = names.count - Self.nameCountMax
        let list =
            names.prefix(Self.nameCountMax).joined(separator: ", ")
            + (rest > 0 ? " and \(rest) more" : "")
        return "already the snapshot's: \(list); \(Self.wayOut(options))"
    }

    private static func wayOut(_ options: Restore.Options) -> String {
        if let keepOld = options.keepOld {
            return "\"cairn restore --undo \(keepOld.job)\" puts back what was there, and another "
                + "restore completes it"
        }
        let again = "run the restore again to complete it"
        return options.previousState.map { "\(again), or restore \($0), which has what was there" }
            ?? again
    }
}
