internal import BSONBytes
internal import MongoDriver
internal import Synchronization

/// Counting and comparing a large collection that nobody writes to, with two cursors that start at
/// its two ends and meet: one cursor leaves either the server or us waiting.
extension StoredDocuments {
    /// Collections that are smaller are read by one cursor.
    static let bothEndsByteCountMin: UInt64 = 16 * 1024 * 1024

    /// Count and fingerprint of a collection of `documentCount` documents.
    ///
    /// The cursors divide so many documents between them. Then the first document beyond those of
    /// the forward one must be the last one of the backward one: with that, none was left out and
    /// none was read twice.
    ///
    /// - Returns: nil when they did not meet like that: the collection has more or fewer documents,
    ///   or is being written to.
    func totalsFromBothEnds(expecting documentCount: UInt64) async throws -> Totals? {
        let share = DocumentShare(documentCount)
        async let forward = scan(direction: 1, share)
        async let backward = scan(direction: -1, share)
        let (first, second) = try await (forward, backward)
        let haveMet =
            first.isWhole && second.isWhole && first.beyond == second.last
            && first.totals.documentCount + second.totals.documentCount == documentCount
        guard haveMet else { return nil }
        var totals = first.totals
        totals.documentCount += second.totals.documentCount
        totals.fingerprint.add(second.totals.fingerprint)
        return totals
    }

    /// What one cursor has read.
    private struct Scan: Sendable {
        var totals = Totals()
        /// The last document that counts, by its hash; nil when none did.
        var last: DocumentFingerprint?
        /// The first document that does not count; nil at the end of the collection.
        var beyond: DocumentFingerprint?
        /// Whether all that was claimed was read.
        var isWhole = false
    }

    private func scan(direction: Int32, _ share: DocumentShare) async throws -> Scan {
        try await withCursor(direction: direction) { cursor in
            var scan = Scan()
            var claimedCount: UInt64 = 0
            var waiting = try await cursor.nextBatch()
            while let batch = waiting, scan.beyond == nil {
                let isLarge = batch.isLarge
                async let following = isLarge ? nil : cursor.nextBatch()
                try batch.forEachDocument { document in
                    guard scan.beyond == nil else { return }
                    var hash = DocumentFingerprint()
                    hash.add(document)
                    if claimedCount == 0 { claimedCount = share.claim() }
                    guard claimedCount > 0 else {
                        scan.beyond = hash
                        return
                    }
                    claimedCount -= 1
                    scan.totals.documentCount += 1
                    scan.totals.fingerprint.add(hash)
                    scan.last = hash
                }
                waiting = try await following
                if isLarge { waiting = try await cursor.nextBatch() }
            }
            scan.isWhole = claimedCount == 0
            return scan
        }
    }
}

/// Documents that two readers divide between them.
private final class DocumentShare: Sendable {
    private static let claimCountMax: UInt64 = 64
    private let remaining: Mutex<UInt64>

    init(_ documentCount: UInt64) {
        remaining = Mutex(documentCount)
    }

    /// Takes some of what nobody has taken; answers how many, 0 when there are none left.
    func claim() -> UInt64 {
        remaining.withLock { remaining in
            let claimed = min(remaining, Self.claimCountMax)
            remaining -= claimed
            return claimed
        }
    }
}
