internal import ArchiveFormat
internal import BSONBytes
internal import MongoDriver

/// What collections of an archive may ask for that not every server has: each with the first
/// version that knows it. What counts is the feature compatibility version, which may be older than
/// the server.
struct ServerFeatures {
    let version: ServerInfo.Version
    /// Whether the server is alone.
    let isStandalone: Bool

    /// What it lacks for a collection, one phrase each; empty for nothing.
    func missing(
        for descriptor: NamespaceDescriptor, _ rules: DefinitionRules
    ) throws -> [String] {
        guard descriptor.type != .view else { return [] }
        let definition = try CollectionDefinition(descriptor, rules)
        var needs = try Self.needs(definition.options, descriptor.type)
        for index in definition.indexes {
            needs += try Self.needs(index)
            guard descriptor.type == .timeseries else { continue }
            needs += try Self.needs(index, ofTimeSeries: descriptor.options)
        }
        var found = needs.filter { version < $0.first }.map { need in
            "\(need.what), which exists from \(need.first.major).\(need.first.minor) on"
        }
        if isStandalone, try definition.options.first("encryptedFields") != nil {
            found.append("encrypted fields, which only a replica set has")
        }
        var seen: Set<String> = []
        return found.filter { seen.insert($0).inserted }
    }

    private struct Need {
        let what: String
        let first: ServerInfo.Version

        init(_ what: String, _ major: Int, _ minor: Int = 0) {
            self.what = what
            first = ServerInfo.Version(major, minor)
        }
    }

    private static func needs(_ options: BSONDocument, _ type: NamespaceType) throws -> [Need] {
        var needs: [Need] = []
        for element in try options.elements() {
            switch element.name {
            case "timeseries":
                needs.append(Need("a time series", 5))
                needs += try Self.needs(packing: element.value.document ?? BSONDocument())
            case "clusteredIndex": needs.append(Need("a clustered collection", 5, 3))
            case "expireAfterSeconds" where type != .timeseries:
                needs.append(Need("the option expireAfterSeconds", 5, 3))
            case "changeStreamPreAndPostImages":
                needs.append(Need("the option changeStreamPreAndPostImages", 6))
            case "encryptedFields": needs.append(Need("encrypted fields", 6))
            default: continue
            }
        }
        return needs
    }

    private static let spans = ["seconds": 3600, "minutes": 86400, "hours": 2_592_000]

    private static func needs(packing options: BSONDocument) throws -> [Need] {
        let granularity = try options.first("granularity")?.string
        let span = try options.first("bucketMaxSpanSeconds")?.wholeNumber
        let isStandard = span == nil || granularity.map { spans[$0] == span } ?? false
        let hasRounding = try options.first("bucketRoundingSeconds") != nil
        return isStandard && !hasRounding
            ? [] : [Need("a time series with its own length of buckets", 6, 3)]
    }

    private static func needs(_ index: BSONDocument) throws -> [Need] {
        var needs: [Need] = []
        let name = try index.first("name")?.string ?? ""
        let key = try index.first("key")?.document?.elements() ?? []
        if key.contains(where: { $0.name == "$**" || $0.name.hasSuffix(".$**") }) {
            needs.append(
                key.count > 1
                    ? Need("the compound wildcard index \(name)", 7)
                    : Need("the wildcard index \(name)", 4, 2))
        }
        if try index.first("hidden")?.isTruthy == true {
            needs.append(Need("the hidden index \(name)", 4, 4))
        }
        if try index.first("prepareUnique") != nil {
            needs.append(Need("the option prepareUnique of the index \(name)", 6))
        }
        if let filter = try index.first("partialFilterExpression")?.document,
            try hasOperator(of: ["$or", "$in", "$geoWithin", "$geoIntersects"], filter)
        {
            needs.append(Need("the filter of the partial index \(name)", 6))
        }
        return needs
    }

    /// Time series had indexes on times and labels only, and no partial ones.
    private static func needs(
        _ index: BSONDocument, ofTimeSeries options: BSONDocument
    ) throws -> [Need] {
        let packing = try options.first("timeseries")?.document ?? BSONDocument()
        let time = try packing.first("timeField")?.string
        let label = try packing.first("metaField")?.string
        let name = try index.first("name")?.string ?? ""
        let onMeasurements = try index.first("key")?.document?.elements().contains { field in
            let isLabel = label.map { field.name == $0 || field.name.hasPrefix($0 + ".") } ?? false
            return field.name != time && !isLabel
        }
        var needs: [Need] = []
        if onMeasurements == true {
            needs.append(Need("the index \(name) on measurements of a time series", 6))
        }
        if try index.first("partialFilterExpression") != nil {
            needs.append(Need("the partial index \(name) of a time series", 6))
        }
        if try index.first("expireAfterSeconds") != nil {
            needs.append(Need("the index \(name) by which a time series expires", 6, 3))
        }
        return needs
    }

    /// - Parameter depth: how deep the document lies; what is deeper than servers go is not read.
    private static func hasOperator(
        of names: Set<String>, _ filter: BSONDocument, depth: Int = 0
    ) throws -> Bool {
        guard depth < 100 else { return false }
        return try filter.elements().contains { element in
            if names.contains(element.name) { return true }
            let inner =
                try element.value.document.map { [$0] }
                ?? element.value.array()?.compactMap(\.document) ?? []
            return try inner.contains { try hasOperator(of: names, $0, depth: depth + 1) }
        }
    }
}
