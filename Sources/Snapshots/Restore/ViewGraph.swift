internal import ArchiveFormat
internal import BSONBytes

/// Which views of a database are made of which others: a server makes none that is, in the end,
/// made of itself.
struct ViewGraph {
    private var sources: [String: Set<String>] = [:]
    private var collations: [String: BSONDocument] = [:]

    /// Adds a view, or gives it another definition.
    mutating func set(_ name: String, _ options: BSONDocument) throws {
        var names: Set<String> = []
        if let source = try options.first("viewOn")?.string { names.insert(source) }
        if let pipeline = try options.first("pipeline") { try Self.collect(pipeline, into: &names) }
        sources[name] = names
        collations[name] = try options.first("collation")?.document ?? BSONDocument()
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

    /// Adds what the stages of a pipeline read.
    private static func collect(
        _ value: BSONValue, into names: inout Set<String>, depth: Int = 0
    ) throws {
        guard depth < 100 else { return }
        let elements: [BSONElement]
        switch value.type {
        case .document: elements = try value.document?.elements() ?? []
        case .array: elements = try BSONDocument(validating: Array(value.bytes)).elements()
        default: return
        }
        for element in elements {
            switch element.name {
            case "$lookup", "$graphLookup", "$unionWith":
                let source = element.value
                let from = try source.document?.first("from") ?? source.document?.first("coll")
                if let name = source.string ?? from?.string { names.insert(name) }
            default: break
            }
            try collect(element.value, into: &names, depth: depth + 1)
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
