internal import BSONBytes

/// Transactions and groups that have several entries, on their way through a replay. They take
/// effect as a whole or not at all.
///
/// Where it is known which of them are completed within the archive, the operations of those are
/// applied as they come: until its end a transaction keeps everybody else from what it changes, so
/// nothing in between can tell the difference. Otherwise they are held until the end comes.
struct OplogTransactions {
    /// The most that is held, by the bytes of the entries.
    static let heldByteCountMax = 64 * 1024 * 1024

    private struct Held {
        var operations: [OplogEntry] = []
        var byteCount = 0
    }

    /// Those that are completed; nil when that is not known.
    private let completed: Set<OplogEntry.TransactionID>?
    private var open: [OplogEntry.TransactionID: Held] = [:]
    /// Groups of no transaction, by the time of their last entry so far.
    private var groups: [BSONTimestamp: Held] = [:]
    private var heldByteCount = 0

    init(completed: Set<OplogEntry.TransactionID>?) {
        self.completed = completed
    }

    /// Takes an `applyOps`.
    ///
    /// - Returns: what is to be applied now.
    /// - Throws: `OplogRefusal` for one that would have to be held and is too large.
    mutating func take(_ entry: OplogEntry) throws(OplogRefusal) -> [OplogEntry] {
        let operations = try entry.operations
        let isLast = try !entry.isPartial
        guard let id = entry.transaction else {
            return try takeGroup(entry, operations, isLast: isLast)
        }
        if let completed {
            return isLast || completed.contains(id) ? operations : []
        }
        if isLast { return release(id) + operations }
        var held = open.removeValue(forKey: id) ?? Held()
        try hold(operations, of: entry, &held)
        open[id] = held
        return []
    }

    /// The operations of a transaction that was prepared and is now committed. None when it began
    /// before anything was read: then all of it was read.
    mutating func commit(_ entry: OplogEntry) -> [OplogEntry] {
        entry.transaction.map { release($0) } ?? []
    }

    /// Forgets a transaction.
    mutating func abort(_ entry: OplogEntry) {
        if let id = entry.transaction { _ = release(id) }
    }

    private mutating func takeGroup(
        _ entry: OplogEntry, _ operations: [OplogEntry], isLast: Bool
    ) throws(OplogRefusal) -> [OplogEntry] {
        var group = entry.previous.flatMap { groups.removeValue(forKey: $0) } ?? Held()
        if isLast {
            heldByteCount -= group.byteCount
            return group.operations + operations
        }
        guard let time = entry.time else {
            throw entry.refusal("it is a part of a group and does not say when it was written")
        }
        try hold(operations, of: entry, &group)
        groups[time] = group
        return []
    }

    private mutating func hold(
        _ operations: [OplogEntry], of entry: OplogEntry, _ held: inout Held
    ) throws(OplogRefusal) {
        let byteCount = entry.object.bytes.count
        held.operations += operations
        held.byteCount += byteCount
        heldByteCount += byteCount
        guard heldByteCount <= Self.heldByteCountMax else {
            throw entry.refusal(
                "transactions of more than \(Self.heldByteCountMax / 1024 / 1024) MiB are open, "
                    + "which takes an archive with an index; make one with \"cairn index\"")
        }
    }

    private mutating func release(_ id: OplogEntry.TransactionID) -> [OplogEntry] {
        guard let held = open.removeValue(forKey: id) else { return [] }
        heldByteCount -= held.byteCount
        return held.operations
    }
}
