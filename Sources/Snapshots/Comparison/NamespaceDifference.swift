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
        /// Its definition; nil where there is none of that name.
        public var first: BSONDocument?
        public var second: BSONDocument?
    }

    public var namespace: Namespace
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
    /// Chunks of snapshots that were decoded for it.
    public var decodedChunkCount = 0

    public var isEqual: Bool {
        isInFirst && isInSecond && onlyInFirstCount == 0 && onlyInSecondCount == 0
            && differingCount == 0 && options.isEmpty && indexes.isEmpty
    }

    init(_ namespace: Namespace) {
        self.namespace = namespace
    }

    static func onlyInFirst(_ entry: Manifest.NamespaceEntry) -> NamespaceDifference {
        var difference = NamespaceDifference(entry.descriptor.namespace)
        difference.isInSecond = false
        difference.onlyInFirstCount = entry.totals.documentCount
        return difference
    }

    static func onlyInSecond(
        _ namespace: Namespace, documentCount: UInt64
    ) -> NamespaceDifference {
        var difference = NamespaceDifference(namespace)
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
        let (options, others) = (
            try left.options(of: first), try right.options(of: second)
        )
        if try !options.hasSameFields(as: others) {
            self.options = try FieldDifference.between(options, others)
        }
        let (own, other) = (try Self.byName(left.indexes), try Self.byName(right.indexes))
        for name in Set(own.keys).union(other.keys).sorted() {
            if let index = try own[name]?.asListed,
                try other[name]?.asListed.hasSameFields(as: index) == true
            {
                continue
            }
            indexes.append(Index(name: name, first: own[name], second: other[name]))
        }
    }

    private static func byName(_ indexes: [BSONDocument]) throws -> [String: BSONDocument] {
        Dictionary(
            try indexes.map { (try $0.require("name", \.string), $0) },
            uniquingKeysWith: { first, _ in first })
    }
}

extension CollectionDefinition {
    /// The options with the type among them.
    fileprivate func options(of descriptor: NamespaceDescriptor) throws -> BSONDocument {
        try BSONDocument { builder in
            let isSpecial = descriptor.type == .special
            builder.append(
                "type", isSpecial ? NamespaceType.collection.rawValue : descriptor.type.rawValue)
            for element in try options.elements() { builder.append(element) }
        }
    }
}

extension BSONDocument {
    /// The `_id`; null where there is none.
    var identifier: BSONValue {
        get throws { try first("_id") ?? BSONValue(type: .null, bytes: []) }
    }
}
