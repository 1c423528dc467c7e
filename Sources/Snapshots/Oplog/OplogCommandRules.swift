internal import ArchiveFormat
internal import BSONBytes

/// What commands of an oplog must be like so that their effect is known.
enum OplogCommandRules {
    /// What a command may have beside its name. Those that are missing here hand on what they have
    /// to the server, which refuses what it does not know.
    static let fields: [String: Set<String>] = [
        "abortIndexBuild": ["indexBuildUUID", "indexes", "cause"],
        "abortTransaction": [],
        "collMod": collModFields,
        "commitIndexBuild": ["indexBuildUUID", "indexes"],
        "commitTransaction": ["commitTimestamp", "prepared"],
        "deleteIndex": ["index"], "deleteIndexes": ["index"],
        "drop": [],
        "dropIndex": ["index"], "dropIndexes": ["index"],
        "emptycapped": [],
        "renameCollection": ["to", "stayTemp", "dropTarget"],
    ]

    private static let collModFields: Set<String> = [
        "cappedMax", "cappedSize", "changeStreamPreAndPostImages", "expireAfterSeconds", "index",
        "noPadding", "recordPreImages", "timeseries", "usePowerOf2Sizes", "validationAction",
        "validationLevel", "validator",
    ]

    /// What a `collMod` may change of an index, and what it finds it by.
    private static let indexFields: Set<String> = [
        "expireAfterSeconds", "forceNonUnique", "hidden", "keyPattern", "name", "prepareUnique",
        "unique",
    ]

    /// What an `applyOps` may have; what a user sent with it is in the entry, too, and means
    /// nothing there.
    static let applyOpsFields: Set<String> = [
        "allowAtomic", "alwaysUpsert", "apiDeprecationErrors", "apiStrict", "apiVersion",
        "applyOps", "bypassDocumentValidation", "comment", "count", "lsid", "maxTimeMS",
        "oplogApplicationMode", "partialTxn", "prepare", "txnNumber", "writeConcern",
    ]

    /// Checks a command other than `applyOps`.
    ///
    /// - Throws: `OplogRefusal`, `BSONError`.
    static func check(_ entry: OplogEntry, _ command: BSONElement) throws {
        switch command.name {
        case "commitTransaction", "abortTransaction":
            guard entry.transaction != nil else {
                throw entry.refusal("it does not say of which transaction it is")
            }
        case "renameCollection":
            try checkName(command.value.string, of: entry, isWhole: true)
            let target = try entry.object.first("to")?.string
            try checkName(target, of: entry, isWhole: true)
            try checkRename(command.value.string ?? "", to: target ?? "", of: entry)
        default:
            try checkName(command.value.string, of: entry, isWhole: false)
            try checkIndexes(entry, command)
        }
    }

    /// The server's rules for names, as far as they keep apart what is named.
    private static func checkName(
        _ text: String?, of entry: OplogEntry, isWhole: Bool
    ) throws {
        let isAllowed =
            text.map { text in
                !text.isEmpty && !text.utf8.contains(0) && text.utf8.count <= 255
                    && (!isWhole || Namespace(parsing: text) != nil)
            } ?? false
        guard isAllowed else { throw entry.refusal("it does not name a collection") }
    }

    /// What a collection holds that backups leave out is in no archive.
    private static func checkRename(
        _ source: String, to target: String, of entry: OplogEntry
    ) throws {
        guard let from = Namespace(parsing: source), let to = Namespace(parsing: target),
            ServerNamespaces.isBackedUp(to), !ServerNamespaces.isBackedUp(from)
        else { return }
        throw entry.refusal("it renames a collection that is not in the archive")
    }

    private static func checkIndexes(_ entry: OplogEntry, _ command: BSONElement) throws {
        switch command.name {
        case "dropIndexes", "dropIndex", "deleteIndexes", "deleteIndex":
            guard try entry.object.first("index")?.string != nil else {
                throw entry.refusal("it does not name an index")
            }
        case "commitIndexBuild", "abortIndexBuild":
            guard let indexes = try entry.object.first("indexes")?.array() else {
                throw entry.refusal("it has no indexes")
            }
            for index in indexes { try check(index: index.document, of: entry) }
        case "createIndexes":
            guard let indexes = try entry.object.first("indexes")?.array() else {
                return try check(index: entry.object, of: entry)
            }
            for index in indexes { try check(index: index.document, of: entry) }
        case "collMod":
            guard let change = try entry.object.first("index") else { return }
            guard let fields = try change.document?.elements().map(\.name),
                fields.contains("name") || fields.contains("keyPattern")
            else { throw entry.refusal("it does not name an index") }
            if let unknown = fields.first(where: { !indexFields.contains($0) }) {
                throw entry.refusal(
                    "its command \"collMod\" has an unknown field of an index "
                        + OplogRefusal.quoted(unknown))
            }
        default: return
        }
    }

    private static func check(index: BSONDocument?, of entry: OplogEntry) throws {
        guard try index?.first("name")?.string != nil,
            try index?.first("key")?.document?.isEmpty == false
        else { throw entry.refusal("an index has no name, or no key") }
    }
}
