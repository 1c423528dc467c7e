internal import BSONBytes

/// An index as modern servers take it, made of one as any server may have listed it. What they
/// would ignore is left out, and what they would refuse is left out where it had no meaning,
/// converted where that is wanted, and else the reason for a refusal.
struct ModernIndex {
    /// Its name; made of the key where there is none.
    private(set) var name = ""
    private(set) var specification = BSONDocument()
    /// Whether a value of the key was converted.
    private(set) var isKeyConverted = false
    /// What was left out or changed, as an end of the sentence "index a_1 of shop.orders …".
    private(set) var notes: [String] = []
    /// Why servers would refuse it; nil when they would not.
    private(set) var refusal: Obstacle?

    /// Why servers would refuse an index.
    struct Obstacle: Hashable, Sendable {
        /// In the form of the notes.
        var reason: String
        /// Whether a conversion of legacy indexes helps.
        var canBeConverted: Bool
    }

    /// The longest text of an archive that a note repeats, in characters.
    private static let quotedCharacterCountMax = 60
    private static let flags: Set<String> = ["unique", "sparse", "hidden", "prepareUnique"]
    /// The version in which servers since 3.4 build indexes.
    private static let version: Int32 = 2
    /// What servers take for a moment that never comes, in seconds.
    private static let expiryMax = Int32.max

    private let rules: DefinitionRules
    /// Whether the collection has a collation of its own.
    private let hasCollation: Bool
    /// Version 1 has neither collations nor wildcards.
    private let canHaveVersion1: Bool
    private var builder = BSONBuilder()

    /// - Parameter hasCollation: whether the collection has a collation of its own. An index
    ///   without one is then listed as if it had none to state, but made anew it would take the
    ///   collection's.
    init(_ index: BSONDocument, _ rules: DefinitionRules, hasCollation: Bool) throws {
        self.rules = rules
        self.hasCollation = hasCollation
        let key = try index.first("key")?.document ?? BSONDocument()
        let isSimple =
            try index.first("collation")?.document.map {
                try $0.first("locale")?.string == "simple"
            } ?? true
        canHaveVersion1 =
            try !hasCollation && isSimple
            && !key.elements().contains { $0.name == "$**" || $0.name.hasSuffix(".$**") }
        try takeName(index, key)
        let version = try index.first("v")?.wholeNumber
        for element in try index.elements() {
            switch element.name {
            case "key": try takeKey(key)
            case "name": builder.append("name", name)
            default: try take(element, version: version, isCompound: key.elements().count > 1)
            }
        }
        if try index.first("name") == nil { builder.append("name", name) }
        if key.isEmpty { refuse("has no key", canBeConverted: false) }
        if try LegacyIndexKey.isDescendingDefault(key) {
            refuse("is on \"_id\" alone and not ascending", canBeConverted: false)
        }
        try addWhatIsMissing(index, key)
        specification = builder.document
    }

    private mutating func takeName(_ index: BSONDocument, _ key: BSONDocument) throws {
        if let given = try index.first("name")?.string, !given.isEmpty {
            name = given
            return
        }
        name = try key.elements().map { "\($0.name)_\(Self.word($0.value))" }
            .joined(separator: "_")
        notes.append("had no name and gets this one")
    }

    /// As servers and drivers make names of keys.
    private static func word(_ value: BSONValue) -> String {
        if let text = value.string, !text.isEmpty { return text }
        return value.wholeNumber.map(String.init) ?? "1"
    }

    private mutating func takeKey(_ key: BSONDocument) throws {
        var converted = BSONBuilder()
        for element in try key.elements() {
            guard let value = change(of: element) else {
                converted.append(element)
                continue
            }
            converted.append(element.name, value)
            isKeyConverted = true
            notes.append(
                "has \(LegacyIndexKey.text(element.value)) for \(Self.quoted(element.name)) in "
                    + "its key, which was converted to \(value)")
        }
        builder.append("key", converted.document)
    }

    /// What a value of the key becomes; nil when it stays, also as the reason for a refusal.
    private mutating func change(of element: BSONElement) -> Int32? {
        let value = element.value
        if let kind = value.string, !kind.isEmpty, let version = rules.serverVersion,
            !IndexKinds.mayHave(kind, version)
        {
            refuse(
                "is of the kind \(Self.quoted(kind)), which the server does not have",
                canBeConverted: false)
        }
        guard rules.convertsLegacyIndexes else {
            if LegacyIndexKey.isRefused(value) {
                refuse(
                    "has \(LegacyIndexKey.text(value)) for \(Self.quoted(element.name)) in its key")
            }
            return nil
        }
        return LegacyIndexKey.converted(value)
    }

    private mutating func take(
        _ element: BSONElement, version: Int?, isCompound: Bool
    ) throws {
        let (name, value) = (element.name, element.value)
        switch name {
        // What old servers kept in system.indexes: the wrong one in a staging collection.
        case "ns", "_id": return
        case "dropDups": notes.append("is built without dropDups, which no server does any more")
        case "v": takeVersion(element, version)
        case _ where value.isNothing, _ where !IndexOptionName.isKnown(name, rules.serverVersion):
            notes.append("is built without the option \(Self.quoted(name))")
        case "background" where value.bool == nil && value.nearestDouble == nil:
            notes.append("is built without the option \"background\"")
        case _ where Self.flags.contains(name): takeFlag(element)
        case "expireAfterSeconds": takeExpiry(value, isCompound: isCompound)
        case "storageEngine": try takeStorageEngine(value)
        case "collation" where version == 1 && canHaveVersion1: return
        default: builder.append(element)
        }
    }

    private mutating func takeVersion(_ element: BSONElement, _ version: Int?) {
        if version == 2 || version == 1 && canHaveVersion1 { return builder.append(element) }
        notes.append("is built in version \(Self.version), not its own")
    }

    /// Old servers took anything but nothing, false and zero for true.
    private mutating func takeFlag(_ element: BSONElement) {
        guard element.value.bool == nil, element.value.nearestDouble == nil else {
            return builder.append(element)
        }
        guard rules.convertsLegacyIndexes else {
            return refuse("has an option \"\(element.name)\" that is neither true nor false")
        }
        builder.append(element.name, true)
        notes.append("has an option \"\(element.name)\" that was converted to true")
    }

    private mutating func takeExpiry(_ value: BSONValue, isCompound: Bool) {
        let number = value.nearestDouble
        if let number, number.isNaN {
            // Some servers take it for zero, and delete everything at once.
            builder.append("expireAfterSeconds", Self.expiryMax)
            notes.append("has NaN for \"expireAfterSeconds\", which was converted to never")
            return
        }
        if let number, number >= 0, number <= Double(Self.expiryMax), !isCompound {
            return builder.append("expireAfterSeconds", value)
        }
        // With it old servers let nothing expire.
        guard rules.convertsLegacyIndexes else {
            return refuse(
                isCompound
                    ? "has \"expireAfterSeconds\" and more than one field"
                    : "has an \"expireAfterSeconds\" that is not from 0 to \(Self.expiryMax)")
        }
        notes.append("is built without \"expireAfterSeconds\", by which nothing can expire")
    }

    private mutating func takeStorageEngine(_ value: BSONValue) throws {
        guard let engines = value.document else { return builder.append("storageEngine", value) }
        let kept = try StorageEngineOptions.kept(engines)
        if !kept.isEmpty { builder.append("storageEngine", kept) }
        if kept != engines { notes.append("is built without options of another storage engine") }
    }

    private mutating func addWhatIsMissing(_ index: BSONDocument, _ key: BSONDocument) throws {
        if try builder.document.first("v") == nil { builder.append("v", Self.version) }
        let isOnSphere = try key.elements().contains { $0.value.string == "2dsphere" }
        if isOnSphere, try index.first("2dsphereIndexVersion")?.isNothing ?? true {
            // Servers that did not state it knew only this one; theirs would be newer.
            builder.append("2dsphereIndexVersion", Int32(1))
        }
        if hasCollation, try index.first("collation")?.isNothing ?? true {
            builder.append("collation", BSONDocument { $0.append("locale", "simple") })
        }
    }

    private mutating func refuse(_ reason: String, canBeConverted: Bool = true) {
        refusal = refusal ?? Obstacle(reason: reason, canBeConverted: canBeConverted)
    }

    private static func quoted(_ text: String) -> String {
        "\"\(text.prefix(quotedCharacterCountMax))\""
    }
}

/// Options that name storage engines.
enum StorageEngineOptions {
    /// Those of engines that servers have: others, MMAPv1 above all, are gone.
    static func kept(_ engines: BSONDocument) throws -> BSONDocument {
        try BSONDocument { builder in
            for engine in try engines.elements()
            where ["wiredTiger", "inMemory"].contains(engine.name) {
                builder.append(engine)
            }
        }
    }
}
