internal import ArchiveFormat
internal import BSONBytes

/// Views whose collections come back under other names: a view reads others of its own database, by
/// their names there, and is to read the same after a restore as before.
struct ViewRenames {
    private let targets: [Namespace: Namespace]

    /// - Parameter choices: all that come back.
    init(_ choices: [RestorePlan.Choice]) {
        targets = Dictionary(
            choices.map { ($0.descriptor.namespace, $0.target) },
            uniquingKeysWith: { first, _ in first })
    }

    /// The same with views that read what they read before.
    ///
    /// - Parameter notice: told of each view that reads another name now, or can't read what it
    ///   did.
    /// - Throws: `BSONError` for a definition that can't be read.
    func apply(
        to choices: [RestorePlan.Choice], _ notice: (String) -> Void
    ) throws -> [RestorePlan.Choice] {
        try choices.map { choice in
            guard choice.descriptor.type == .view else { return choice }
            var renamed = choice
            let source = choice.descriptor.namespace.database
            var told: Set<String> = []
            renamed.descriptor.options = try ViewDefinition.replacingNames(
                choice.descriptor.options
            ) { name in
                guard let target = targets[Namespace(source, name)] else { return name }
                let isThere = target.database == choice.target.database
                if !isThere, told.insert(name).inserted {
                    notice(
                        "view \(choice.target) reads \(name) of its own database, and "
                            + "\(source).\(name) is restored as \(target): a view can't read "
                            + "another database")
                } else if isThere, target.collection != name, told.insert(name).inserted {
                    notice(
                        "view \(choice.target) reads \(target.collection) instead of \(name), as "
                            + "\(source).\(name) is restored as \(target)")
                }
                return isThere ? target.collection : name
            }
            return renamed
        }
    }

    /// Views that read what is neither restored nor on the server, one sentence each.
    ///
    /// - Throws: `BSONError` for a definition that can't be read.
    static func readingNothing(
        _ choices: [RestorePlan.Choice], _ live: LiveCatalog
    ) throws -> [String] {
        let restored = Set(choices.map(\.target))
        let sources = Set(choices.map(\.descriptor.namespace))
        var notes: [String] = []
        for choice in choices where choice.descriptor.type == .view {
            var told: Set<String> = []
            _ = try ViewDefinition.replacingNames(choice.descriptor.options) { name in
                let namespace = Namespace(choice.target.database, name)
                // Of those that go to another database it was said.
                let isKnown =
                    restored.contains(namespace) || live[namespace] != nil
                    || sources.contains(
                        Namespace(choice.descriptor.namespace.database, name))
                if !isKnown, told.insert(name).inserted {
                    notes.append(
                        "view \(choice.target) reads \(namespace), which is neither restored nor "
                            + "on the server")
                }
                return name
            }
        }
        return notes
    }
}

/// The names of collections in a view's definition.
enum ViewDefinition {
    /// Pipelines within pipelines; servers allow far fewer.
    private static let nestingDepthMax = 64

    /// The definition with other names for what it reads.
    ///
    /// - Parameter name: answers the new name.
    /// - Throws: `BSONError` for a definition that can't be read.
    static func replacingNames(
        _ options: BSONDocument, _ name: (String) -> String
    ) throws -> BSONDocument {
        try replacing(options) { element in
            switch element.name {
            case "viewOn": element.value.string.map { .text(name($0)) } ?? .unchanged
            case "pipeline": try .value(pipeline(element.value, 0, name))
            default: .unchanged
            }
        }
    }

    private enum Replacement {
        case unchanged
        case text(String)
        case value(BSONValue)
    }

    private static func replacing(
        _ document: BSONDocument, _ replacement: (BSONElement) throws -> Replacement
    ) throws -> BSONDocument {
        try BSONDocument { builder in
            for element in try document.elements() {
                switch try replacement(element) {
                case .unchanged: builder.append(element)
                case .text(let text): builder.append(element.name, text)
                case .value(let value): builder.append(element.name, value)
                }
            }
        }
    }

    private static func pipeline(
        _ value: BSONValue, _ depth: Int, _ name: (String) -> String
    ) throws -> BSONValue {
        guard value.type == .array, depth < nestingDepthMax else { return value }
        let stages = try replacing(BSONDocument(validating: Array(value.bytes))) { stage in
            guard let document = stage.value.document else { return .unchanged }
            let replaced = try replacing(document) { try self.stage($0, depth, name) }
            return .value(BSONValue(type: .document, bytes: replaced.bytes[...]))
        }
        return BSONValue(type: .array, bytes: stages.bytes[...])
    }

    private static func stage(
        _ stage: BSONElement, _ depth: Int, _ name: (String) -> String
    ) throws -> Replacement {
        if stage.name == "$unionWith", let other = stage.value.string { return .text(name(other)) }
        guard let fields = stage.value.document else { return .unchanged }
        let replaced: BSONDocument
        switch stage.name {
        case "$lookup", "$graphLookup", "$unionWith":
            let source = stage.name == "$unionWith" ? "coll" : "from"
            replaced = try replacing(fields) { field in
                switch field.name {
                case source: field.value.string.map { .text(name($0)) } ?? .unchanged
                case "pipeline": try .value(pipeline(field.value, depth + 1, name))
                default: .unchanged
                }
            }
        case "$facet":
            replaced = try replacing(fields) { field in
                try .value(pipeline(field.value, depth + 1, name))
            }
        case "$rankFusion", "$scoreFusion":
            replaced = try replacing(fields) { field in
                guard field.name == "input", let input = field.value.document else {
                    return .unchanged
                }
                let inputs = try replacing(input) { field in
                    guard field.name == "pipelines", let named = field.value.document else {
                        return .unchanged
                    }
                    let pipelines = try replacing(named) {
                        try .value(pipeline($0.value, depth + 1, name))
                    }
                    return .value(BSONValue(type: .document, bytes: pipelines.bytes[...]))
                }
                return .value(BSONValue(type: .document, bytes: inputs.bytes[...]))
            }
        default: return .unchanged
        }
        return .value(BSONValue(type: .document, bytes: replaced.bytes[...]))
    }
}
