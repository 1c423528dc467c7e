internal import BSONBytes

/// What a replay makes of a kind of entry.
///
/// The tables below are those of `formats/oplog.md`; a test compares them. What is in neither is
/// refused: it may be a change that nobody here knows of.
enum OplogDisposition: String, Sendable {
    /// Its change is made.
    case applied
    /// It changes nothing that a restore brings back.
    case skipped
    /// It changes something, in a way that can't be made again.
    case refused

    /// By what an entry has as `op`.
    static let operations: [String: OplogDisposition] = [
        "i": .applied, "u": .applied, "d": .applied, "c": .applied,
        "n": .skipped,
        // The storage engine's own containers, and keys.
        "ci": .skipped, "cu": .skipped, "cd": .skipped, "km": .skipped,
        // Keys of global indexes.
        "xi": .refused, "xd": .refused,
    ]

    /// By the name of a command: the first field of what a `c` has as `o`.
    static let commands: [String: OplogDisposition] = [
        "abortIndexBuild": .applied, "abortTransaction": .applied, "applyOps": .applied,
        "collMod": .applied, "commitIndexBuild": .applied, "commitTransaction": .applied,
        "create": .applied, "createIndexes": .applied, "deleteIndex": .applied,
        "deleteIndexes": .applied, "drop": .applied, "dropIndex": .applied,
        "dropIndexes": .applied, "emptycapped": .applied, "renameCollection": .applied,
        // Its collections were dropped before, one by one.
        "dropDatabase": .skipped,
        // The index is there from `commitIndexBuild` on.
        "startIndexBuild": .skipped,
        "dbCheck": .skipped,
        "createIdent": .skipped, "dropIdent": .skipped, "setMultikeyMetadata": .skipped,
        // Which shard has what.
        "createDatabaseMetadata": .skipped, "dropDatabaseMetadata": .skipped,
        "modifyCollectionShardingIndexCatalog": .skipped,
        "convertToCapped": .refused, "createGlobalIndex": .refused,
        "dropGlobalIndex": .refused, "importCollection": .refused, "truncateRange": .refused,
        "upgradeDowngradeViewlessTimeseries": .refused,
    ]
}

/// Why an entry can't be replayed, and which one it is. Says nothing of documents' contents.
struct OplogRefusal: Error, Hashable, Sendable, CustomStringConvertible {
    /// When it was written; nil where the entry does not say.
    let time: BSONTimestamp?
    /// Its kind and namespace as they are in the entry, shortened.
    let kind: String
    let namespace: String
    /// What is not understood.
    let reason: String

    init(
        time: BSONTimestamp?, kind: String?, namespace: String?, _ reason: String
    ) {
        self.time = time
        self.kind = Self.quoted(kind ?? "")
        self.namespace = Self.quoted(namespace ?? "")
        self.reason = reason
    }

    var description: String {
        "the entry of \(time.map(\.description) ?? "unknown time") (op \(kind), ns \(namespace)): "
            + reason
    }

    private static let quotedCharacterCountMax = 100

    /// Text of an archive as it may be shown: in quotes, short, without control characters.
    static func quoted(_ text: String) -> String {
        let visible = text.unicodeScalars.prefix(quotedCharacterCountMax).map { scalar in
            scalar.properties.generalCategory == .control
                || scalar.properties.generalCategory == .format ? "?" : String(scalar)
        }
        let isCut = text.unicodeScalars.count > quotedCharacterCountMax
        return "\"" + visible.joined() + (isCut ? "…" : "") + "\""
    }
}
