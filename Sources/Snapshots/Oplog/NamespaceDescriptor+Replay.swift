internal import ArchiveFormat
internal import BSONBytes

/// What commands of an oplog make of a collection's options and indexes.
extension NamespaceDescriptor {
    /// A collection that an entry makes.
    ///
    /// - Parameter entry: of a `create`.
    init(created entry: OplogEntry, _ name: String) throws {
        let isTimeSeries = try entry.object.first("timeseries") != nil
        let prefix = "system.buckets."
        let isBuckets = isTimeSeries && name.hasPrefix(prefix)
        self.init(
            namespace: Namespace(
                entry.namespace.database,
                isBuckets ? String(name.dropFirst(prefix.count)) : name),
            type: isTimeSeries ? .timeseries : .collection, dataCollection: name)
        // Of buckets, the server adds these itself.
        let omitted: Set<String> = isBuckets ? ["validator", "clusteredIndex"] : []
        options = try BSONDocument { builder in
            for element in try entry.object.elements().dropFirst()
            where element.name != "idIndex" && !omitted.contains(element.name) {
                builder.append(element)
            }
        }
        indexes = try [entry.object.first("idIndex")?.document].compactMap(\.self)
        uuid = entry.uuid
    }

    /// Another name, of a `renameCollection`.
    ///
    /// - Parameter name: of a time series, that of its buckets.
    mutating func rename(to name: Namespace) {
        let prefix = "system.buckets."
        let isBuckets = type == .timeseries && name.collection.hasPrefix(prefix)
        namespace =
            isBuckets
            ? Namespace(name.database, String(name.collection.dropFirst(prefix.count))) : name
        dataCollection = name.collection
    }

    /// An index that was built.
    mutating func addIndex(_ index: BSONDocument) throws {
        let index = type == .timeseries ? try ofMeasurements(index) : index
        let name = try index.first("name")
        let position = try indexes.firstIndex { try $0.first("name") == name }
        if let position { indexes[position] = index } else { indexes.append(index) }
    }

    /// An index that was dropped; with `*` all but the one on `_id`.
    mutating func removeIndex(_ name: String) throws {
        try indexes.removeAll { index in
            let own = try index.first("name")?.string
            return name == "*" ? own != "_id_" : own == name
        }
    }

    /// An index that a `collMod` changed.
    mutating func modifyIndex(_ change: BSONDocument) throws {
        let name = try change.first("name")
        let key = try change.first("keyPattern")
        let position = try indexes.firstIndex { index in
            name != nil ? try index.first("name") == name : try index.first("key") == key
        }
        guard let position else { return }
        for element in try change.elements() {
            switch element.name {
            case "name", "keyPattern": continue
            case "forceNonUnique": try indexes[position].set("unique", nil)
            case "hidden", "prepareUnique", "unique":
                try indexes[position].set(
                    element.name, element.value.isTruthy ? element.value : nil)
                if element.name == "unique" { try indexes[position].set("prepareUnique", nil) }
            default: try indexes[position].set(element.name, element.value)
            }
        }
    }

    /// An option that a `collMod` changed.
    mutating func modifyOption(_ element: BSONElement) throws {
        switch element.name {
        case "noPadding", "usePowerOf2Sizes": return
        case "cappedSize": try options.set("size", element.value)
        case "cappedMax": try options.set("max", element.value)
        case "timeseries": try modifyBuckets(element.value.document ?? BSONDocument())
        case "expireAfterSeconds" where element.value.string == "off":
            try options.set(element.name, nil)
        case "validator" where element.value.document?.isEmpty ?? false:
            try options.set(element.name, nil)
        default: try options.set(element.name, element.value)
        }
    }

    /// A server changes the span of a time series' buckets together with their granularity.
    private mutating func modifyBuckets(_ change: BSONDocument) throws {
        var series = try options.first("timeseries")?.document ?? BSONDocument()
        for element in try change.elements() { try series.set(element.name, element.value) }
        let spans: [String: Int32] = ["seconds": 3600, "minutes": 86_400, "hours": 2_592_000]
        if try change.first("bucketMaxSpanSeconds") == nil,
            let span = try change.first("granularity")?.string.flatMap({ spans[$0] })
        {
            let value = try BSONDocument { $0.append("span", span) }.first("span")
            try series.set("bucketMaxSpanSeconds", value)
        }
        try options.set(
            "timeseries", BSONValue(type: .document, bytes: series.bytes[...]))
    }

    /// An index on buckets, as users of the time series know it.
    private func ofMeasurements(_ index: BSONDocument) throws -> BSONDocument {
        if let original = try index.first("originalSpec")?.document { return original }
        let series = try options.first("timeseries")?.document
        let meta = try series?.first("metaField")?.string ?? "meta"
        var key = BSONBuilder()
        var seen: Set<String> = []
        for element in try index.first("key")?.document?.elements() ?? [] {
            var name = element.name
            if name == "meta" || name.hasPrefix("meta.") {
                name = meta + name.dropFirst("meta".count)
            } else {
                for prefix in ["control.min.", "control.max.", "data."]
                where name.hasPrefix(prefix) {
                    name = String(name.dropFirst(prefix.count))
                }
            }
            // The least and the largest of a bucket are one field of a measurement.
            guard seen.insert(name).inserted else { continue }
            if element.value.string == "2dsphere_bucket" {
                key.append(name, "2dsphere")
            } else {
                key.append(name, element.value)
            }
        }
        var translated = index
        try translated.set("key", BSONValue(type: .document, bytes: key.document.bytes[...]))
        return translated
    }
}

extension BSONDocument {
    /// Gives a field another value, in its place or at the end, or takes it away.
    fileprivate mutating func set(_ name: String, _ value: BSONValue?) throws {
        var isFound = false
        self = try BSONDocument { builder in
            for element in try elements() {
                guard element.name == name else {
                    builder.append(element)
                    continue
                }
                if let value, !isFound { builder.append(name, value) }
                isFound = true
            }
            if let value, !isFound { builder.append(name, value) }
        }
    }
}
