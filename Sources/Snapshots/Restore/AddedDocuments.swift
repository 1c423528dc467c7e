internal import ArchiveFormat
internal import BSONBytes
internal import MongoDriver
internal import Synchronization

/// Documents that a restore has added to a live collection, by their `_id`s, so that they can be
/// taken out again when it fails.
final class AddedDocuments: Sendable {
    /// Bytes of `_id`s that are held.
    private static let byteCountMax = 64 * 1024 * 1024
    /// Documents of one command.
    private static let removalCountMax = 1000

    /// There were more than are held.
    struct TooMany: Error, CustomStringConvertible {
        let description = "there were too many to remember"
    }

    private struct State {
        var ids: [BSONDocument] = []
        var byteCount = 0
        var isCut = false
    }

    private let state = Mutex(State())

    /// Takes note of documents that are about to be added.
    func note(_ ids: [BSONValue]) {
        // Copied: a value of a document keeps all of its batch.
        let documents = ids.map { id in BSONDocument { $0.append("_id", id) } }
        state.withLock { state in
            for document in documents {
                guard state.byteCount < byteCountMax else {
                    state.isCut = true
                    return
                }
                state.byteCount += document.bytes.count + MemoryLayout<BSONDocument>.stride
                state.ids.append(document)
            }
        }
    }

    private var byteCountMax: Int { Self.byteCountMax }

    /// Deletes them.
    ///
    /// - Returns: whether those were all.
    /// - Throws: `MongoError`, `refused`.
    func remove(from namespace: Namespace, _ pool: MongoPool) async throws -> Bool {
        let (ids, isCut) = state.withLock { ($0.ids, $0.isCut) }
        for start in stride(from: 0, to: ids.count, by: Self.removalCountMax) {
            try RepositoryLocks.checkHeld()
            let some = ids[start..<min(ids.count, start + Self.removalCountMax)]
            try await DocumentRemoval(namespace: namespace, pool: pool)
                .remove(some.map { try $0.require("_id") { $0 } })
        }
        return !isCut
    }
}
