internal import ArchiveFormat
internal import BSONBytes

/// An entry of an oplog, or an operation inside of one: what was done to which collection.
struct OplogEntry: Sendable {
    /// Which kind of change; the raw value stands in the entry.
    enum Kind: String, Sendable {
        case insert = "i"
        case update = "u"
        case delete = "d"
        /// Anything that is no document's change.
        case command = "c"
        /// Nothing at all.
        case noop = "n"
    }

    /// What a transaction is known by: its session and its number there.
    struct TransactionID: Hashable, Sendable {
        let session: BSONValue
        let number: Int
    }

    /// Nil for kinds that are a server's own bookkeeping, such as which indexes are multikey.
    let kind: Kind?
    /// The kind as it stands in the entry.
    let kindText: String
    let namespace: Namespace
    /// The document, what changed in it, or the command.
    let object: BSONDocument
    /// Which document an update is about.
    let target: BSONDocument?
    /// The identity of the collection; nil for commands about none, and on very old servers.
    let uuid: [UInt8]?
    /// Nil for what is no transaction.
    let transaction: TransactionID?

    /// - Throws: `BSONError` for a document that is no such entry.
    init(_ document: BSONDocument) throws(BSONError) {
        var values: [String: BSONValue] = [:]
        for element in try document.elements() { values[element.name] = element.value }
        guard let kindText = values["op"]?.string, let name = values["ns"]?.string,
            let object = values["o"]?.document
        else {
            throw BSONError(.unexpectedField, "an entry of the oplog lacks op, ns or o", at: 0)
        }
        kind = Kind(rawValue: kindText)
        self.kindText = kindText
        let parts = name.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        namespace = Namespace(String(parts[0]), parts.count == 2 ? String(parts[1]) : "")
        self.object = object
        target = values["o2"]?.document
        uuid = values["ui"]?.binary.map { Array($0.payload) }
        // Inserts of many documents at once are numbered like transactions, and are none.
        if let session = values["lsid"], let number = values["txnNumber"]?.wholeNumber,
            values["multiOpType"]?.wholeNumber != 1
        {
            transaction = TransactionID(session: session, number: number)
        } else {
            transaction = nil
        }
    }

    /// A command's name and what it is given: its first field.
    var command: BSONElement? {
        get throws(BSONError) {
            var reader = BSONElementReader(object.bytes[...])
            return kind == .command ? try reader.next() : nil
        }
    }

    /// The operations of an `applyOps`.
    var operations: [OplogEntry] {
        get throws(BSONError) {
            var operations: [OplogEntry] = []
            for value in try object.first("applyOps")?.array() ?? [] {
                guard let document = value.document else { continue }
                operations.append(try OplogEntry(document))
            }
            return operations
        }
    }
}
