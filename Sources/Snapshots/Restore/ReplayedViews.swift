internal import ArchiveFormat
internal import BSONBytes
internal import MongoDriver

/// Views during a replay. Servers keep them as documents of a collection `system.views`, and that
/// is what entries are about. As long as there are none for a database, its views are the plan's.
struct ReplayedViews: Sendable {
    private enum State: Sendable {
        /// As the archive has them.
        case archived
        /// In a collection beside the live data.
        case staged
        /// Read from it.
        case read([NamespaceDescriptor])
    }

    private var states: [String: State] = [:]
    private let archived: [String: [NamespaceDescriptor]]
    /// Databases whose views were all dropped.
    private var forgotten: Set<String> = []

    init(_ plan: RestorePlan) {
        archived = Dictionary(
            grouping: plan.choices.map(\.descriptor).filter { $0.type == .view },
            by: \.namespace.database)
    }

    /// A database's views are changed from now on.
    ///
    /// - Returns: its views as documents; nil when that had begun before.
    mutating func beginReplay(of database: String) throws -> [UInt8]? {
        if case .staged? = states[database] { return nil }
        states[database] = .staged
        guard !forgotten.contains(database) else { return [] }
        return try (archived[database] ?? []).flatMap { view in
            try BSONDocument { builder in
                builder.append("_id", view.namespace.description)
                for element in try view.options.elements() { builder.append(element) }
            }.bytes
        }
    }

    /// All views of a database are gone.
    mutating func forget(_ database: String) {
        forgotten.insert(database)
        states[database] = .read([])
    }

    /// Reads what a replay has left of a database's views, and removes the collection.
    mutating func read(
        _ collection: ReplayedCollection, _ context: RestoreContext
    ) async throws {
        var views: [NamespaceDescriptor] = []
        try await StoredDocuments(namespace: collection.staging, pool: context.pool).forEachBatch {
            for document in $0 {
                let document = try BSONDocument(validating: Array(document))
                if let view = try NamespaceDescriptor(view: document) { views.append(view) }
            }
        }
        states[collection.choice.target.database] = .read(views)
        try await collection.target.abandon()
    }

    /// All views as they are to be put in place, with their positions in the plan.
    func choices(_ plan: RestorePlan) -> [(choice: RestorePlan.Choice, origin: Int?)] {
        var choices: [(choice: RestorePlan.Choice, origin: Int?)] = []
        var origins: [Namespace: Int] = [:]
        for (origin, choice) in plan.choices.enumerated() where choice.descriptor.type == .view {
            origins[choice.target] = origin
            if states[choice.target.database] == nil { choices.append((choice, origin)) }
        }
        for case .read(let views) in states.sorted(by: { $0.key < $1.key }).map(\.value) {
            for view in views {
                let choice = RestorePlan.Choice(
                    position: 0, descriptor: view, target: view.namespace, isSmall: false)
                choices.append((choice, origins[view.namespace]))
            }
        }
        return choices
    }
}

extension NamespaceDescriptor {
    /// The collection that holds a database's views.
    init(views database: String) {
        self.init(namespace: Namespace(database, "system.views"), type: .collection)
    }

    /// Whether it holds a database's views.
    var isViews: Bool { namespace.collection == "system.views" }

    /// A view out of that collection; nil for what makes buckets look like a time series.
    fileprivate init?(view document: BSONDocument) throws {
        let name = try document.require("_id", \.string)
        let source = try document.require("viewOn", \.string)
        guard !source.hasPrefix("system.buckets."), let namespace = Namespace(parsing: name) else {
            return nil
        }
        self.init(namespace: namespace, type: .view)
        options = try BSONDocument { builder in
            for element in try document.elements() where element.name != "_id" {
                builder.append(element)
            }
        }
    }
}
