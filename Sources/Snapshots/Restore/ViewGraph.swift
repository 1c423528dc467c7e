internal import ArchiveFormat
internal import BSONBytes
internal import MongoDriver

/// Which views of a database are made of which others: a server makes none that is, in the end,
/// made of itself.
struct ViewGraph {
    private var sources: [String: Set<String>] = [:]
    private var collations: [String: BSONDocument] = [:]

    /// Adds a view, or gives it another definition.
    mutating func set(_ name: String, _ options: BSONDocument) throws {
        sources[name] = Set(try ViewSources.names(in: options))
        collations[name] = try options.first("collation")?.document ?? BSONDocument()
    }

    /// Adds what a view is made of by another definition.
    mutating func add(_ name: String, _ options: BSONDocument) throws {
        sources[name, default: []].formUnion(try ViewSources.names(in: options))
    }

    /// Live views that can't be changed in any order, for the old definition of one and the new one
    /// of another may be made of each other: they are dropped before they are made.
    static func viewsInTheWay(
        _ choices: [RestorePlan.Choice], _ live: LiveCatalog
    ) throws -> Set<Namespace> {
        let changed = choices.filter { choice in
            choice.descriptor.type == .view && live[choice.target]?.type == "view"
        }
        var graphs: [String: ViewGraph] = [:]
        for database in Set(changed.map(\.target.database)) { graphs[database] = ViewGraph() }
        // Views that stay as they are may lie between two of them.
        for (namespace, info) in live.all where info.type == "view" {
            try graphs[namespace.database]?.add(namespace.collection, info.options)
        }
        for choice in choices where choice.descriptor.type == .view {
            try graphs[choice.target.database]?
                .add(choice.target.collection, choice.descriptor.options)
        }
        return Set(
            changed.map(\.target).filter {
                graphs[$0.database, default: ViewGraph()].isCyclic($0.collection)
            })
    }

    /// A view that the view is made of, or that is made of it, and that has another collation: a
    /// server takes no two such.
    func conflict(with name: String) -> String? {
        let above = sources.filter { $0.value.contains(name) }.map(\.key)
        return (Array(sources[name] ?? []) + above).sorted().first { other in
            guard let collation = collations[other] else { return false }
            return collation != collations[name]
        }
    }

    /// Whether the view is made of itself.
    func isCyclic(_ name: String) -> Bool {
        var seen: Set<String> = []
        var waiting = Array(sources[name] ?? [])
        while let next = waiting.popLast() {
            if next == name { return true }
            guard seen.insert(next).inserted else { continue }
            waiting += sources[next] ?? []
        }
        return false
    }
}
