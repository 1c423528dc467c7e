public import ArchiveFormat
public import BSONBytes

/// How one namespace of two snapshots, or of a snapshot and a server, differs.
public struct NamespaceDifference: Sendable {
    /// A document of which both have one, and the fields in which they differ.
    public struct Differing: Sendable {
        public var id: BSONValue
        public var fields: [FieldDifference]
    }

    /// An index that only one has, or that is defined in another way.
    public struct Index: Hashable, Sendable {
        public var name: String
        /// Its definition; nil where there is not one of that name.
        public var first: BSONDocument?
        public var second: BSONDocument?
    }

    /// Documents that a unique index of the second side would refuse of the first side.
    public struct UniqueConflict: Hashable, Sendable {
        /// Its name.
        public var index: String
        public var documentCount: UInt64 = 0
        /// `_id`s of the first few.
        public var ids: [BSONValue] = []
    }

    public var namespace: Namespace
    /// That of the first side, or of the one that has it.
    public var type: NamespaceType
    /// What is counted; nil for a view.
    public var unit: StoredUnit? { StoredUnit(namespace, type) }
    /// Which sides have it; both unless one is false.
    public var isInFirst = true
    public var isInSecond = true
    /// Documents with an `_id` that only the first, or only the second has.
    public var onlyInFirstCount: UInt64 = 0
    public var onlyInSecondCount: UInt64 = 0
    /// Documents with the same `_id` that differ.
    public var differingCount: UInt64 = 0
    public var equalCount: UInt64 = 0
    /// Options that differ; its type as `type`.
    public var options: [FieldDifference] = []
    /// By name.
    public var indexes: [Index] = []
    /// `_id`s of the first few.
    public var onlyInFirst: [BSONValue] = []
    public var onlyInSecond: [BSONValue] = []
    public var differing: [Differing] = []
    /// Of a preview: what a merge would be refused.
    public var uniqueConflicts: [UniqueConflict] = []
    /// Of a preview: what is not known of that, one sentence each.
    public var unforeseen: [String] = []
    /// Chunks of snapshots that were decoded for it.
    public var decodedChunkCount = 0

    public var isEqual: Bool {
        isInFirst && isInSecond && onlyInFirstCount == 0 && onlyInSecondCount == 0
            && differingCount == 0 && options.isEmpty && indexes.isEmpty
    }

    init(_ namespace: Namespace, _ type: NamespaceType = .collection) {
        self.namespace = namespace
        self.type = type
    }

    static func onlyInFirst(_ entry: Manifest.NamespaceEntry) -> NamespaceDifference {
        var difference = NamespaceDifference(
            entry.descriptor.namespace, entry.descriptor.type)
        difference.isInSecond = false
        difference.onlyInFirstCount = entry.totals.documentCount
        return difference
    }

    static func onlyInSecond(
        _ namespace: Namespace, _ type: NamespaceType, documentCount: UInt64
    ) -> NamespaceDifference {
        var difference = NamespaceDifference(namespace, type)
        difference.isInFirst = false
        difference.onlyInSecondCount = documentCount
        return difference
    }

    /// Compares options and indexes as a server takes them: what old servers wrote beside is left
    /// out.
    ///
    /// - Throws: `BSONError` for a definition that can't be read.
    mutating func compareDefinitions(
        _ first: NamespaceDescriptor, _ second: NamespaceDescriptor, _ rules: DefinitionRules
    ) throws {
        let left = try CollectionDefinition(first, rules)
        // What is live is listed as it is, also what a restore would leave out.
        var present = rules
        present.leavesOutIndexes = false
        let right = try CollectionDefinition(second, present)
        let (one, other) = (try CanonicalDefinition(left), try CanonicalDefinition(right))
        let types = [first, second].map { descriptor in
            let type = descriptor.type == .special ? .collection : descriptor.type
            return BSONDocument { $0.append("type", type.rawValue) }
        }
        options = try FieldDifference.between(types[0], types[1])
        let differing = Set(try one.options.elements())
            .symmetricDifference(try other.options.elements()).map(\.nameBytes)
        options += try FieldDifference.between(
            left.options(named: Set(differing)), right.options(named: Set(differing)),
            comparesOrder: false)
        let (own, others) = (try Self.byName(left.indexes), try Self.byName(right.indexes))
        for name in Set(own.keys).union(others.keys).sorted(by: { $0.lexicographicallyPrecedes($1) }
        ) {
            if let index = one.indexes[name], let present = other.indexes[name],
                try CanonicalDefinition.isBuilt(index, as: present, rules)
            {
                continue
            }
            indexes.append(
                Index(
                    name: String(decoding: name, as: UTF8.self), first: own[name],
                    second: others[name]))
        }
    }

    private static func byName(_ indexes: [BSONDocument]) throws -> [[UInt8]: BSONDocument] {
        Dictionary(
            try indexes.map { (Array(try $0.require("name", \.string).utf8), $0) },
            uniquingKeysWith: { first, _ in first })
    }
}

extension CollectionDefinition {
    fileprivate func options(named names: Set<ArraySlice<UInt8>>) throws -> BSONDocument {
        try BSONDocument { builder in
            for element in try options.elements() where names.contains(element.nameBytes) {
                builder.append(element)
            }
        }
    }
}

extension BSONDocument {
    /// The `_id`; null where there is none.
    var identifier: BSONValue {
        get throws { try first("_id") ?? BSONValue(type: .null, bytes: []) }
    }
}
