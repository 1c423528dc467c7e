internal import BSONBytes

/// The collections that a view looks at.
enum ViewSources {
    /// Stages within stages that are looked into; a server allows fewer views on each other.
    private static let depthMax = 32

    /// Names of the view's own source and of those that its pipeline joins, in its database.
    ///
    /// - Parameter options: as `create` takes them: `viewOn` and `pipeline`.
    static func names(in options: BSONDocument) throws -> [String] {
        var names: Set<String> = []
        if let source = try options.first("viewOn")?.string { names.insert(source) }
        for stage in try stages(options.first("pipeline")) {
            try collect(stage, &names, depth: 0)
        }
        return names.sorted()
    }

    private static func stages(_ pipeline: BSONValue?) throws -> [BSONDocument] {
        guard let pipeline, pipeline.type == .array else { return [] }
        return try pipeline.array()?.compactMap(\.document) ?? []
    }

    private static func collect(
        _ stage: BSONDocument, _ names: inout Set<String>, depth: Int
    ) throws {
        guard depth < depthMax else { return }
        for element in try stage.elements() {
            switch element.name {
            case "$unionWith":
                if let name = element.value.string { names.insert(name) }
                if let name = try element.value.document?.first("coll")?.string {
                    names.insert(name)
                }
            case "$lookup", "$graphLookup":
                if let name = try element.value.document?.first("from")?.string {
                    names.insert(name)
                }
            case "$facet": break
            default: continue
            }
            for part in try element.value.document?.elements() ?? [] {
                for inner in try stages(part.value) {
                    try collect(inner, &names, depth: depth + 1)
                }
            }
        }
    }
}
