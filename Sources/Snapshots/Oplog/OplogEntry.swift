internal import ArchiveFormat
internal import BSONBytes

/// An entry of an oplog, or an operation inside of one: what was done to which collection.
struct OplogEntry: Sendable {
    /// Which kind of change is replayed; the raw value is in the entry.
    enum Kind: String, Sendable {
        case insert = "i"
        case update = "u"
        case delete = "d"
        /// Anything that is no document's change.
        case command = "c"
    }

    /// What a transaction is known by: its session and its number there.
    struct TransactionID: Hashable, Sendable {
        let session: BSONValue
        let number: Int
    }

    /// Fields whose meaning is known. A replay needs no others than the properties below.
    static let knownFields: Set<String> = [
        "_id", "b", "checkExistenceForDiffInsert", "container", "destinedRecipient",
        "donorApplyOpsIndex", "donorOpTime", "fromMigrate", "fromTenantMigration", "h", "lsid",
        "multiOpType", "needsRetryImage", "ns", "o", "o2", "op", "postImageOpTime",
        "preImageOpTime", "prevOpTime", "rid", "stmtId", "t", "tid", "ts", "txnNumber",
        "txnRetryCounter", "ui", "v", "versionContext", "wall",
    ]

    /// Nil for kinds that are not replayed.
    let kind: Kind?
    /// The kind as it is in the entry.
    let kindText: String
    /// The namespace as it is in the entry.
    let namespaceText: String
    let namespace: Namespace
    /// The document, what changed in it, or the command.
    let object: BSONDocument
    /// Which document an update is about.
    let target: BSONDocument?
    /// The identity of the collection; nil for commands about none, and on very old servers.
    let uuid: [UInt8]?
    /// Nil for what is no transaction.
    let transaction: TransactionID?
    /// When it was written; an operation has the time of the entry that it is in.
    let time: BSONTimestamp?
    /// The entry before it of the same transaction or group; nil for the first one.
    let previous: BSONTimestamp?
    /// A field whose meaning is not known; nil when there is none.
    let unknownField: String?

    /// - Parameter outer: the entry that it is an operation of; nil for a whole entry.
    /// - Throws: `OplogRefusal` for a document that is no such entry.
    init(_ document: BSONDocument, in outer: OplogEntry? = nil) throws(OplogRefusal) {
        var values: [String: BSONValue] = [:]
        var unknown: String?
        do {
            for element in try document.elements() {
                let name = element.name
                if !Self.knownFields.contains(name) { unknown = unknown ?? name }
                // Which of two would count is for nobody to guess.
                if values.updateValue(element.value, forKey: name) != nil { unknown = name }
            }
        } catch {
            throw OplogRefusal(
                time: outer?.time, kind: nil, namespace: nil, "it can't be read: \(error)")
        }
        time = outer?.time ?? values["ts"]?.timestamp
        func refusal(_ reason: String) -> OplogRefusal {
            OplogRefusal(
                time: outer?.time ?? values["ts"]?.timestamp, kind: values["op"]?.string,
                namespace: values["ns"]?.string, reason)
        }
        guard let kindText = values["op"]?.string, let name = values["ns"]?.string,
            let object = values["o"]?.document
        else { throw refusal("it lacks op, ns or o") }
        self.kindText = kindText
        kind = Kind(rawValue: kindText)
        namespaceText = name
        let parts = name.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        namespace = Namespace(String(parts[0]), parts.count == 2 ? String(parts[1]) : "")
        self.object = object
        target = values["o2"]?.document
        unknownField = unknown
        uuid = values["ui"]?.binary.map { Array($0.payload) }
        if let identity = values["ui"], uuid?.count != 16 {
            throw refusal("its ui is no UUID but a \(identity.type)")
        }
        // Read here for what its place in the entry says, and only where something is replayed.
        guard [nil, 2].contains(values["v"].map { $0.wholeNumber ?? -1 }) || kind == nil else {
            throw refusal("its version v is not 2")
        }
        guard [nil, 0, 1].contains(values["multiOpType"].map { $0.wholeNumber ?? -1 }) else {
            throw refusal("its multiOpType is unknown")
        }
        // Inserts of many documents at once are numbered like transactions, and are none.
        if let session = values["lsid"], let number = values["txnNumber"]?.wholeNumber,
            values["multiOpType"]?.wholeNumber != 1
        {
            // A copy: the value alone would keep all of the entry in memory.
            let session = BSONValue(type: session.type, bytes: Array(session.bytes)[...])
            transaction = TransactionID(session: session, number: number)
        } else {
            transaction = nil
        }
        do {
            let time = try values["prevOpTime"]?.document?.first("ts")?.timestamp
            previous = time.flatMap { $0.rawValue == 0 ? nil : $0 }
        } catch {
            throw refusal("its prevOpTime can't be read: \(error)")
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
    ///
    /// - Throws: `OplogRefusal` when they are no list of entries.
    var operations: [OplogEntry] {
        get throws(OplogRefusal) {
            let values: [BSONValue]?
            do { values = try object.first("applyOps")?.array() } catch {
                throw refusal("its operations can't be read: \(error)")
            }
            guard let values else { throw refusal("its operations are no array") }
            var operations: [OplogEntry] = []
            operations.reserveCapacity(values.count)
            for value in values {
                guard let document = value.document else {
                    throw refusal("one of its operations is no document")
                }
                operations.append(try OplogEntry(document, in: self))
            }
            return operations
        }
    }

    /// Whether an `applyOps` takes effect only with a later entry of its transaction.
    var isPartial: Bool {
        get throws(OplogRefusal) {
            do {
                for name in ["partialTxn", "prepare"] {
                    if try object.first(name)?.isTruthy == true { return true }
                }
                return false
            } catch { throw refusal("it can't be read: \(error)") }
        }
    }

    /// That it can't be replayed.
    func refusal(_ reason: String) -> OplogRefusal {
        OplogRefusal(time: time, kind: kindText, namespace: namespaceText, reason)
    }
}
