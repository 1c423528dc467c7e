internal import ArchiveFormat
internal import BSONBytes
internal import MongoDriver

/// A view: its definition is all there is of it. Made after the collections; an existing one gets
/// the new definition.
struct ViewTarget: RestoreTarget {
    let source: NamespaceDescriptor
    let namespace: Namespace
    var commitRank: Int { 1 }
    private let live: CollectionInfo?
    private let keepsLive: Bool
    private let isInTheWay: Bool
    private let context: RestoreContext
    private var pool: MongoPool { context.pool }

    /// - Parameters:
    ///   - keepsLive: whether an existing view stays as it is.
    ///   - isInTheWay: whether it may have to be dropped before all views can be made.
    init(
        _ choice: RestorePlan.Choice, live: CollectionInfo?, keepsLive: Bool, isInTheWay: Bool,
        _ context: RestoreContext
    ) {
        source = choice.descriptor
        namespace = choice.target
        self.live = live
        self.keepsLive = keepsLive
        self.isInTheWay = isInTheWay
        self.context = context
    }

    var needs: PrivilegeNeeds {
        get throws {
            var needs = PrivilegeNeeds()
            if let live {
                guard try !live.options.hasSameFields(as: source.options), !keepsLive else {
                    return needs
                }
                let isKept = try hasCollation(of: live)
                if isKept { needs.require("collMod", on: namespace) }
                if !isKept || isInTheWay {
                    needs.require("dropCollection", on: namespace)
                    needs.create(namespace)
                }
            } else {
                needs.create(namespace)
            }
            // On a replica set it is read once at the end, where nothing else was restored.
            needs.require("find", on: namespace)
            let sources = try ViewSources.names(in: source.options)
            needs.look(
                at: sources.map { Namespace(namespace.database, $0) }, through: namespace)
            return needs
        }
    }

    func prepare() async throws {}

    func load(_ documents: ArraySlice<UInt8>) async throws -> LoadOutcome {
        throw ArchiveError(
            .malformed, "a view holds documents", namespace: source.namespace.description)
    }

    func compare(_ totals: DocumentTotals) async throws -> LoadOutcome? { nil }

    func commit() async throws -> LoadOutcome? {
        var outcome = LoadOutcome()
        if let live, try live.options.hasSameFields(as: source.options) {
            outcome.views.equalCount = 1
            return outcome
        }
        if live != nil, keepsLive {
            context.observer.noticed("view \(namespace) differs and was kept")
            outcome.views.keptCount = 1
            return outcome
        }
        try await pool.withConnection { connection in
            let present = try await connection.collection(
                namespace.collection, in: namespace.database)
            if let present {
                try await change(present, connection)
            } else {
                try await create(connection)
            }
        }
        try await DefinitionProof(context: context).check(source, as: namespace)
        if live == nil { outcome.views.createdCount = 1 } else { outcome.views.changedCount = 1 }
        return outcome
    }

    func abandon() async throws {}

    private func hasCollation(of live: CollectionInfo) throws -> Bool {
        try live.options.first("collation") == source.options.first("collation")
    }

    /// Makes room for views that can't be changed one by one. It holds no data.
    func makeRoom() async throws {
        try await pool.withConnection { connection in
            try await connection.dropCollection(namespace.collection, in: namespace.database)
        }
    }

    private func change(_ live: CollectionInfo, _ connection: MongoConnection) async throws {
        if try hasCollation(of: live) {
            _ = try await connection.run(modification(), on: namespace.database, as: .write)
        } else {
            // The collation of a view can't be changed. It holds no data, so it may be gone for a
            // moment.
            try await connection.dropCollection(namespace.collection, in: namespace.database)
            try await create(connection)
        }
    }

    private func create(_ connection: MongoConnection) async throws {
        try await connection.createCollection(
            namespace.collection, in: namespace.database, options: source.options)
    }

    private func modification() throws -> BSONDocument {
        try BSONDocument { builder in
            builder.append("collMod", namespace.collection)
            for element in try source.options.elements()
            where element.name == "viewOn" || element.name == "pipeline" {
                builder.append(element)
            }
        }
    }
}
