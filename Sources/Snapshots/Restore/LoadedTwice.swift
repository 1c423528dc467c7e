internal import ArchiveFormat
internal import BSONBytes
internal import MongoDriver
internal import Synchronization

/// Documents that an archive with an oplog holds twice under one `_id`: deleted and inserted again
/// behind the place where the cursor was that read the collection. Which of them is loaded does not
/// matter, for the oplog has both changes.
final class LoadedTwice: Sendable {
    private let totals = Mutex(StoredDocuments.Totals())

    /// Takes note of the documents of an insert that were there already. Where the insert was an
    /// ordered one and stopped at such a document, what follows is inserted.
    ///
    /// - Returns: the result without them.
    func take(
        _ result: WriteResult, of documents: ArraySlice<UInt8>,
        _ insert: (ArraySlice<UInt8>) async throws -> WriteResult
    ) async throws -> WriteResult {
        let split = try DocumentRun.split(documents)
        var result = result
        var following = 0
        while true {
            let found = result.errors.filter { $0.code == .duplicateKey }
            for error in found { add(split[error.index]) }
            result.errors.removeAll { $0.code == .duplicateKey }
            let handledCount = result.documentCount + following + found.count
            guard result.errors.isEmpty, handledCount < split.count, let last = found.last else {
                return result
            }
            following += found.count
            let rest = try await insert(documents[split[last.index].endIndex...])
            result.documentCount += rest.documentCount
            result.errors = rest.errors.map { $0.shifted(by: last.index + 1) }
        }
    }

    /// What the collection holds when the archive has these totals.
    func removed(from archived: DocumentTotals) -> DocumentTotals {
        let twice = totals.withLock { $0 }
        var loaded = archived
        loaded.documentCount -= min(twice.documentCount, loaded.documentCount)
        loaded.fingerprint = DocumentFingerprint(
            sum: loaded.fingerprint.sum &- twice.fingerprint.sum)
        return loaded
    }

    private func add(_ document: ArraySlice<UInt8>) {
        document.withUnsafeBytes { bytes in
            // Copied out, for the lock's closure takes nothing that has an owner.
            var one = StoredDocuments.Totals()
            one.add(bytes)
            totals.withLock {
                $0.documentCount += 1
                $0.fingerprint.add(one.fingerprint)
            }
        }
    }
}
