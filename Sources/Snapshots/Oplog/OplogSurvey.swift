internal import ArchiveEngine
internal import ArchiveFormat
internal import BSONBytes
internal import MongoDriver

/// An archive's oplog, read before anything is restored: whether it can be replayed at all, and
/// which transactions are completed in it.
///
/// Memory: what a stored chunk and its decoded bytes take, `width` times, and what transactions of
/// several entries are known by.
struct OplogSurvey: Sendable {
    private(set) var completed: Set<OplogEntry.TransactionID> = []
    /// The first entry that can't be replayed; nil when all can.
    private(set) var refusal: OplogRefusal?

    /// Reads the oplog of an archive with an index.
    ///
    /// - Parameters:
    ///   - ordinal: the oplog's position in the manifest.
    ///   - server: where it is to be replayed; nil when that is not known.
    ///   - width: how many chunks are decoded at once.
    /// - Throws: `ArchiveError` for a damaged chunk, `BSONError`.
    init(
        _ chunks: IndexedChunks, _ ordinal: UInt32, for server: ServerInfo?, width: Int
    ) async throws {
        let documents = ArchivedDocuments(chunks, ordinal)
        let rules = OplogRules(for: server)
        var waiting = documents.sequences[...]
        try await withOrderedWindow(
            width: width, next: { refusal == nil ? waiting.popFirst().map(documents.chunk) : nil },
            transform: { (chunk: ArchivedDocuments.Chunk) async throws -> Part in
                var part = Part()
                for run in try await documents.runs(chunk.sequence) { try part.add(run, rules) }
                return part
            },
            deliver: { add($0) })
    }

    /// For what comes in order and is read anyway.
    init() {}

    /// Looks at more entries.
    ///
    /// - Parameter entries: whole documents, one after another.
    /// - Throws: `BSONError`.
    mutating func add(_ entries: ArraySlice<UInt8>, _ rules: OplogRules) throws {
        guard refusal == nil else { return }
        var part = Part()
        try part.add(entries, rules)
        add(part)
    }

    /// - Throws: `unsupported` when there is an entry that can't be replayed.
    func check() throws {
        if let refusal { throw SnapshotError(refusal) }
    }

    private mutating func add(_ part: Part) {
        refusal = refusal ?? part.refusal
        completed.formUnion(part.completed)
    }

    /// What entries were found to be like.
    private struct Part: Sendable {
        var completed: Set<OplogEntry.TransactionID> = []
        var refusal: OplogRefusal?

        mutating func add(_ entries: ArraySlice<UInt8>, _ rules: OplogRules) throws {
            for document in try DocumentRun.split(entries) where refusal == nil {
                do throws(OplogRefusal) {
                    let entry = try OplogEntry(whole: document)
                    try rules.check(entry)
                    if let id = try entry.completedTransaction { completed.insert(id) }
                } catch { refusal = error }
            }
        }
    }
}

extension OplogEntry {
    /// - Parameter bytes: one whole document.
    init(whole bytes: ArraySlice<UInt8>) throws(OplogRefusal) {
        let document: BSONDocument
        do { document = try BSONDocument(validating: Array(bytes)) } catch {
            throw OplogRefusal(
                time: nil, kind: nil, namespace: nil, "it can't be read: \(error)")
        }
        try self.init(document)
    }

    /// The transaction of several entries that takes effect with this one; nil for none.
    fileprivate var completedTransaction: TransactionID? {
        get throws(OplogRefusal) {
            guard let transaction else { return nil }
            let name: String?
            do { name = try command?.name } catch {
                throw refusal("it can't be read: \(error)")
            }
            switch name {
            case "commitTransaction": return transaction
            case "applyOps":
                // With nothing before it, nobody asks.
                guard previous != nil else { return nil }
                return try isPartial ? nil : transaction
            default: return nil
            }
        }
    }
}

extension SnapshotError {
    /// That an archive's oplog can't be replayed.
    init(_ refusal: OplogRefusal) {
        self.init(
            .unsupported,
            "the archive's oplog can't be replayed because of \(refusal); --no-oplog leaves the "
                + "oplog out, and what comes back is not of one instant")
    }
}
