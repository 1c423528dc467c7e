internal import ArchiveFormat
internal import BSONBytes
internal import MongoDriver

/// Options and indexes of a collection as a server takes them: almost always as they are, with what
/// old servers wrote and modern ones refuse brought up to date.
struct CollectionDefinition: Sendable {
    let options: BSONDocument
    /// When the documents of a clustered or time series collection expire: part of the options.
    let expiry: BSONValue?
    /// All indexes that are built: all but the one on `_id` that every collection has.
    let indexes: [BSONDocument]
    /// What was left out or changed, one sentence each.
    let adjustments: [String]
    /// What a server would refuse, one sentence each.
    let refusals: [ModernIndex.Obstacle]

    /// - Throws: `BSONError` for a definition that can't be read.
    init(_ descriptor: NamespaceDescriptor, _ rules: DefinitionRules) throws {
        var options = ModernOptions(descriptor, rules)
        for element in try descriptor.options.elements() { try options.take(element) }
        // The only way to an index on _id of the old version; any other is as the server makes it.
        if let idIndex = try descriptor.indexes.first(where: { try Self.isDefault($0) }),
            try idIndex.first("v")?.wholeNumber == 1
        {
            let name = try idIndex.first("name")?.string ?? ""
            options.builder.append("idIndex", Self.idIndex(named: name.isEmpty ? "_id_" : name))
        }
        self.options = options.builder.document
        expiry = try descriptor.options.first("expireAfterSeconds")
        let hasCollation = try descriptor.options.first("collation")?.document != nil
        var indexes = ModernIndexes(of: descriptor.namespace, rules)
        if !rules.leavesOutIndexes {
            for index in try descriptor.indexes.filter({
                try !Self.isDefault($0) && $0.first("clustered") == nil
            }) {
                try indexes.add(try ModernIndex(index, rules, hasCollation: hasCollation))
            }
        }
        self.indexes = indexes.specifications
        adjustments = options.adjustments + indexes.adjustments
        refusals = indexes.refusals
    }

    /// An index as a server takes it. For a partial one of a time series it can't be stated that it
    /// has the collection's own collation: that is what it gets.
    func asBuilt(_ index: BSONDocument) throws -> BSONDocument {
        guard try options.first("timeseries") != nil,
            try index.first("partialFilterExpression") != nil,
            let collation = try index.first("collation"),
            try collation == options.first("collation")
        else { return index }
        return try BSONDocument { builder in
            for element in try index.elements() where element.name != "collation" {
                builder.append(element)
            }
        }
    }

    /// Options to load with: a server must not take out expired documents before they are compared.
    var optionsWithoutExpiry: BSONDocument {
        get throws {
            try BSONDocument { builder in
                for element in try options.elements() where element.name != "expireAfterSeconds" {
                    builder.append(element)
                }
            }
        }
    }

    /// The same for a collection that changes are replayed on: it is made capped afterwards, for a
    /// server would take out documents while older ones are put back that are deleted again later.
    var optionsWhileReplayed: BSONDocument {
        get throws {
            try BSONDocument { builder in
                for element in try optionsWithoutExpiry.elements()
                where !["capped", "size", "max"].contains(element.name) {
                    builder.append(element)
                }
            }
        }
    }

    /// The index on `_id` that a server makes by itself: one ascending key, nothing partial.
    private static func isDefault(_ index: BSONDocument) throws -> Bool {
        guard let key = try index.first("key")?.document, try LegacyIndexKey.isDefault(key) else {
            return false
        }
        return try index.first("clustered") == nil
            && index.first("partialFilterExpression")?.isNothing ?? true
    }

    /// Old servers listed it with options, such as `unique`, that new ones refuse for it.
    private static func idIndex(named name: String) -> BSONDocument {
        BSONDocument {
            $0.append("v", Int32(1))
            $0.append("key", BSONDocument { $0.append("_id", Int32(1)) })
            $0.append("name", name)
        }
    }
}

/// A collection's options on their way to what modern servers take.
private struct ModernOptions {
    /// Of the storage engine before WiredTiger.
    private static let obsolete = ["$nExtents", "usePowerOf2Sizes", "noPadding"]

    var builder = BSONBuilder()
    private(set) var adjustments: [String] = []
    private let namespace: Namespace
    private let isCapped: Bool

    private let roundsSizes: Bool

    init(_ descriptor: NamespaceDescriptor, _ rules: DefinitionRules) {
        namespace = descriptor.namespace
        roundsSizes = rules.serverVersion.map { $0 < ServerVersions.exactCappedSizes } ?? false
        do { isCapped = try descriptor.options.first("capped")?.isTruthy ?? false } catch {
            isCapped = false
        }
    }

    mutating func take(_ element: BSONElement) throws {
        switch element.name {
        // Refused by servers since 4.0, outside of the database local.
        case "autoIndexId" where namespace.database != "local": return
        // Decided by the server, or refused.
        case "recordIdsReplicated", "uuid", "temp", "idIndex": return
        // The name by which it was made, and the engine's own notes: servers read over them.
        case "create", "flags": return
        case _ where element.value.isNothing: return
        case "capped" where !isCapped: return
        case "size" where !isCapped, "max" where !isCapped:
            // It was a hint for the file of the storage engine before WiredTiger.
            leaveOut(element.name, "only capped collections have one")
        case "size":
            noteRounding(of: element.value)
            builder.append(element)
        case _ where Self.obsolete.contains(element.name):
            leaveOut(element.name, "no server has it any more")
        case "storageEngine": try takeEngines(element)
        case "indexOptionDefaults":
            let engines = try element.value.document?.first("storageEngine")?.document
            guard let engines, try StorageEngineOptions.kept(engines) != engines else {
                return builder.append(element)
            }
            leaveOut(element.name, "it is of another storage engine")
        default: builder.append(element)
        }
    }

    private mutating func noteRounding(of size: BSONValue) {
        guard roundsSizes, let size = size.wholeNumber, size > 0, size % 256 != 0 else { return }
        let (rounded, isTooLarge) = size.addingReportingOverflow(256 - size % 256)
        guard !isTooLarge else { return }
        adjustments.append(
            "\(namespace) is restored with a size of \(rounded) bytes instead of \(size): the "
                + "server rounds sizes of capped collections up")
    }

    private mutating func takeEngines(_ element: BSONElement) throws {
        guard let engines = element.value.document else { return builder.append(element) }
        let kept = try StorageEngineOptions.kept(engines)
        if !kept.isEmpty { builder.append(element.name, kept) }
        if kept != engines { leaveOut(element.name, "it is of another storage engine") }
    }

    private mutating func leaveOut(_ name: String, _ reason: String) {
        adjustments.append("\(namespace) is restored without the option \"\(name)\": \(reason)")
    }
}

/// A collection's indexes, each name and each key once.
private struct ModernIndexes {
    private(set) var adjustments: [String] = []
    private(set) var refusals: [ModernIndex.Obstacle] = []
    private var indexes: [ModernIndex] = []
    private let namespace: Namespace
    private let convertsLegacyIndexes: Bool

    init(of namespace: Namespace, _ rules: DefinitionRules) {
        self.namespace = namespace
        convertsLegacyIndexes = rules.convertsLegacyIndexes
    }

    var specifications: [BSONDocument] { indexes.map(\.specification) }

    mutating func add(_ index: ModernIndex) throws {
        adjustments += index.notes.map { "index \(index.name) of \(namespace) \($0)" }
        if var refusal = index.refusal {
            refusal.reason = "index \(index.name) of \(namespace) \(refusal.reason)"
            refusals.append(refusal)
        }
        if let position = indexes.firstIndex(where: {
            $0.name.utf8.elementsEqual(index.name.utf8)
        }) {
            if indexes[position].specification != index.specification {
                adjustments.append(
                    "index \(index.name) of \(namespace) is listed twice; the last one counts")
            }
            indexes[position] = index
            return
        }
        let twin =
            convertsLegacyIndexes
            ? try indexes.firstIndex { try Self.isTwin($0, index) } : nil
        guard let twin else {
            indexes.append(index)
            return
        }
        // What was converted makes way for what was always so.
        let isLater = !index.isKeyConverted
        let (kept, other) = isLater ? (index, indexes[twin]) : (indexes[twin], index)
        indexes[twin] = kept
        adjustments.append(
            "index \(other.name) of \(namespace) is left out: it has the key of index \(kept.name)")
    }

    /// Whether a server would take two indexes for one: because a conversion has made their keys
    /// equal, or because only the type of a number in them differs.
    private static func isTwin(_ one: ModernIndex, _ other: ModernIndex) throws -> Bool {
        let (left, right) = (one.specification, other.specification)
        let options =
            one.isKeyConverted || other.isKeyConverted
            ? ["collation", "partialFilterExpression"]
            : ["collation", "partialFilterExpression", "unique", "sparse", "expireAfterSeconds"]
        return try options.allSatisfy { try left.first($0) == right.first($0) }
            && key(left) == key(right)
    }

    /// Numbers of a key count by their sign and value, not by their type.
    private static func key(_ index: BSONDocument) throws -> [String] {
        try index.first("key")?.document?.elements().map { element in
            "\(element.name)\u{0}\(element.value.string ?? "\(element.value.nearestDouble ?? 0)")"
        } ?? []
    }
}
