internal import ArchiveFormat
internal import BSONBytes
internal import MongoDriver

/// Proves that a collection, view or time series of a server is defined as the archive has it:
/// options and indexes, compared as `diff --live` compares them. "Replaced" means exactly that.
struct DefinitionProof: Sendable {
    let context: RestoreContext

    /// Compares what is loaded beside the live data, before any of it is live. Indexes are compared
    /// where they are built; here it is one question a database.
    ///
    /// - Throws: `notEqual`, `MongoError`.
    func checkStaged(_ targets: [any RestoreTarget]) async throws {
        let staged = targets.filter(\.stagesDefinition)
        for database in Set(staged.map(\.namespace.database)).sorted() {
            let collections = try await context.endurance.run { _ in
                try await LiveCatalog.collections(context.pool, database)
            }
            for target in staged where target.namespace.database == database {
                guard let place = target.place?.namespace,
                    let info = collections[place]
                else { continue }
                var wanted = target.source
                wanted.indexes = []
                var present = wanted
                present.options = info.options
                present.type = NamespaceType(rawValue: info.type) ?? .collection
                try wanted.takeRounding(of: present)
                var difference = NamespaceDifference(target.namespace)
                try difference.compareDefinitions(wanted, present, context.rules)
                guard let text = difference.definitionText else { continue }
                throw SnapshotError(
                    .notEqual,
                    "the server does not define \(target.namespace) as the archive does: \(text); "
                        + "the live data was left as it was")
            }
        }
    }

    /// Compares what is live now.
    ///
    /// - Parameter place: where it is; nil for its own name.
    /// - Throws: `notEqual`, `MongoError`.
    func check(
        _ source: NamespaceDescriptor, as namespace: Namespace, at place: Namespace? = nil
    ) async throws {
        let difference = try await difference(source, as: namespace, at: place ?? namespace)
        guard let text = difference.definitionText else { return }
        guard place == nil else {
            throw SnapshotError(
                .notEqual,
                "the server does not define \(namespace) as the archive does: \(text); the live "
                    + "data was left as it was")
        }
        throw SnapshotError(
            .notEqual,
            "\(namespace) is not defined as in the archive after all: \(text); was it changed "
                + "while it was restored? Run the restore again")
    }

    private func difference(
        _ source: NamespaceDescriptor, as namespace: Namespace, at place: Namespace
    ) async throws -> NamespaceDifference {
        var difference = NamespaceDifference(namespace)
        let present = try await context.endurance.run { _ -> NamespaceDescriptor? in
            let info = try await context.pool.withConnection { connection in
                try await connection.collection(place.collection, in: place.database)
            }
            guard let info else { return nil }
            return try await NamespaceDescriptor(
                info, in: place.database, context.pool, context.server)
        }
        if let present {
            var wanted = source
            try wanted.takeRounding(of: present)
            try difference.compareDefinitions(wanted, present, context.rules)
        } else {
            difference.isInSecond = false
        }
        return difference
    }
}

extension NamespaceDescriptor {
    /// Servers up to 6.0 round the size of a capped collection up to whole multiples of 256 bytes,
    /// and take no limit of documents for the largest: what was made so was made as wanted.
    fileprivate mutating func takeRounding(of present: NamespaceDescriptor) throws {
        func number(_ name: String, _ options: BSONDocument) throws -> Int64? {
            try options.first(name)?.wholeNumber.map { Int64($0) }
        }
        guard let size = try number("size", options),
            let made = try number("size", present.options)
        else { return }
        let isRounded = made > size && made - max(size, 1) < 256 && made % 256 == 0
        let (wantedMax, madeMax) = (
            try number("max", options), try number("max", present.options)
        )
        let isUnlimited = wantedMax.map { $0 <= 0 } == true && madeMax == Int64(Int32.max)
        guard isRounded || isUnlimited else { return }
        options = try BSONDocument { builder in
            for element in try options.elements() {
                switch element.name {
                case "size" where isRounded: builder.append("size", made)
                case "max" where isUnlimited: builder.append("max", Int64(Int32.max))
                default: builder.append(element)
                }
            }
        }
    }
}

extension NamespaceDifference {
    /// What of options and indexes differs between an archive, the first, and a server; nil for
    /// nothing.
    var definitionText: String? {
        guard isInSecond else { return "it is not there" }
        var parts: [String] = []
        for name in Set(options.compactMap(\.steps.first?.name)).sorted() {
            parts.append("option \(name) differs")
        }
        for index in indexes {
            switch (index.first, index.second) {
            case (_, nil): parts.append("index \(index.name) is missing")
            case (nil, _): parts.append("index \(index.name) is not in the archive")
            default: parts.append("index \(index.name) differs")
            }
        }
        return parts.isEmpty ? nil : parts.joined(separator: ", ")
    }
}
