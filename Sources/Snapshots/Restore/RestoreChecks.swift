internal import ArchiveFormat
internal import BSONBytes
internal import MongoDriver

/// All reasons for which a restore does not begin. It and a preview run the same checks, so that
/// what one refuses the other has foretold. Pure: what is asked of the server is in the facts.
///
/// Not among them is what only shows when it is done: documents that a unique index refuses, room
/// on the server's disk, what others do meanwhile.
struct RestoreChecks {
    let facts: RestoreFacts
    let hasIndex: Bool
    /// Whether a merge leaves live views as they are.
    let keepsLiveViews: Bool
    private var live: LiveCatalog { facts.live }

    init(_ facts: RestoreFacts, hasIndex: Bool, keepsLiveViews: Bool = false) {
        self.facts = facts
        self.hasIndex = hasIndex
        self.keepsLiveViews = keepsLiveViews
    }

    /// The reasons in the order of importance, each once.
    func refusals(of choices: [RestorePlan.Choice], _ way: RestoreWay) throws -> [Refusal] {
        var found = server(way) + databases(choices)
        if let refusal = try RestorePlan.indexRefusal(choices, facts.rules) {
            found.append(refusal)
        }
        let graphs = try viewGraphs(choices)
        for choice in choices {
            if let kind = kind(choice) {
                found.append(kind)
                continue
            }
            found += try definition(choice, way)
            if choice.descriptor.type == .timeseries { found += try timeSeries(choice, way) }
            found += try systemScripts(choice, way)
            if choice.descriptor.type == .view,
                graphs[choice.target.database, default: ViewGraph()]
                    .isCyclic(choice.target.collection)
            {
                found.append(
                    Refusal(
                        .namespaceConflict, choice.target,
                        "view \(choice.target) would be made of itself, for a live view is made of "
                            + "it; restore that one, too, or leave this one out with --ns-exclude"))
            }
            if choice.descriptor.type == .view,
                let other = graphs[choice.target.database, default: ViewGraph()]
                    .conflict(with: choice.target.collection)
            {
                found.append(
                    Refusal(
                        .namespaceConflict, choice.target,
                        "view \(choice.target) would have another collation than the view "
                            + "\(other), which a server does not take; restore that one, too, or "
                            + "leave this one out with --ns-exclude"))
            }
            if way == .keepOld { found += keptName(choice) }
        }
        return found
    }

    // MARK: The server

    private func server(_ way: RestoreWay) -> [Refusal] {
        var found: [Refusal] = []
        if let reason = facts.server.refusesWrites {
            found.append(Refusal(.unsupported, nil, reason))
        }
        if way == .inPlace, !hasIndex {
            found.append(
                Refusal(
                    .unsupported, nil,
                    "only an archive with an index can be restored in place; make one with "
                        + "\"cairn index\""))
        }
        return found
    }

    /// Servers have no two databases whose names differ in the case of letters only.
    private func databases(_ choices: [RestorePlan.Choice]) -> [Refusal] {
        var found: [Refusal] = []
        var known = Dictionary(
            facts.databaseNames.map { ($0.withoutCase, $0) }, uniquingKeysWith: { one, _ in one })
        var seen: Set<String> = []
        for database in choices.map(\.target.database) where seen.insert(database).inserted {
            guard let other = known.updateValue(database, forKey: database.withoutCase),
                other != database
            else { continue }
            found.append(
                Refusal(
                    .namespaceConflict, nil,
                    "the databases \(other) and \(database) differ only in the case of letters, "
                        + "and a server takes no two such; choose another name with --ns-rename"))
        }
        return found
    }

    // MARK: Collections

    /// A collection can't take a view's place, nor the other way round, without a moment at which
    /// neither is there.
    private func kind(_ choice: RestorePlan.Choice) -> Refusal? {
        guard !choice.descriptor.isAuthorization, let live = live[choice.target] else { return nil }
        let wanted = choice.descriptor.type == .special ? .collection : choice.descriptor.type
        guard live.type != wanted.rawValue else { return nil }
        return Refusal(
            .namespaceConflict, choice.target,
            "\(choice.target) is a \(live.type) on the server and a \(wanted.rawValue) in the "
                + "archive; drop it, or restore under another name with --ns-rename")
    }

    /// What the server does not know. A merge makes collections only where there are none.
    private func definition(
        _ choice: RestorePlan.Choice, _ way: RestoreWay
    ) throws -> [Refusal] {
        guard way != .merge || live[choice.target] == nil else { return [] }
        let features = ServerFeatures(
            version: facts.compatibility ?? facts.server.version,
            isStandalone: facts.server.role == .standalone)
        let compatibility =
            facts.compatibility.map {
                "its feature compatibility version is \($0.major).\($0.minor)"
            } ?? "its version is \(facts.server.versionString)"
        var found = try features.missing(for: choice.descriptor, facts.rules).map { what in
            Refusal(
                .unsupported, choice.target,
                "\(choice.target) needs \(what), and the server has not got that: "
                    + "\(compatibility); leave it out with --ns-exclude")
        }
        if let words = facts.misunderstood[choice.descriptor.namespace] {
            found.append(
                Refusal(
                    .unsupported, choice.target,
                    "the server does not understand the definition of \(choice.target): \(words); "
                        + "leave it out with --ns-exclude"))
        }
        return found
    }

    private func timeSeries(
        _ choice: RestorePlan.Choice, _ way: RestoreWay
    ) throws -> [Refusal] {
        let version = facts.server.versionString
        // From 8.3 on a server takes buckets only by commands that were never tried here.
        guard ArchivePrelude.keepsBucketsApart(serverVersion: version) else {
            return [
                Refusal(
                    .unsupported, choice.target,
                    "time series \(choice.target) can't be restored to a server of version "
                        + "\(version); leave it out with --ns-exclude, or use mongorestore for it")
            ]
        }
        guard let existing = live[choice.target] else {
            let buckets = choice.dataNamespace(on: facts.server)
            guard live[buckets] != nil else { return [] }
            return [
                Refusal(
                    .namespaceConflict, choice.target,
                    "time series \(choice.target) can't be made: its buckets, \(buckets), are "
                        + "there already without it; drop them, or restore under another name with "
                        + "--ns-rename")
            ]
        }
        // Buckets only fit a time series that packs them in the same way.
        let packing = try [choice.descriptor.options, existing.options].map {
            try CanonicalDefinition.buckets(of: $0)
        }
        var names = packing[0] == packing[1] ? [] : ["timeseries"]
        if way.mode == .replace {
            names += try differingOptions(choice.descriptor, existing)
                .filter { $0 != "timeseries" && $0 != "expireAfterSeconds" }
        }
        guard !names.isEmpty else { return [] }
        return [
            Refusal(
                .namespaceConflict, choice.target,
                "time series \(choice.target) has other options on the server than in the archive "
                    + "(\(names.joined(separator: ", "))), which can't be changed; drop it, or "
                    + "restore under another name with --ns-rename")
        ]
    }

    /// `system.js` is written in place, so what it was made with stays.
    private func systemScripts(
        _ choice: RestorePlan.Choice, _ way: RestoreWay
    ) throws -> [Refusal] {
        guard way.mode == .replace, choice.target.collection == "system.js",
            let existing = live[choice.target]
        else { return [] }
        let names = try differingOptions(choice.descriptor, existing)
        guard !names.isEmpty else { return [] }
        return [
            Refusal(
                .namespaceConflict, choice.target,
                "\(choice.target) has other options on the server than in the archive "
                    + "(\(names.joined(separator: ", "))), which can't be changed; drop it, or "
                    + "leave it out with --ns-exclude")
        ]
    }

    /// Names of options, sorted.
    private func differingOptions(
        _ descriptor: NamespaceDescriptor, _ existing: CollectionInfo
    ) throws -> [String] {
        var difference = NamespaceDifference(descriptor.namespace)
        try difference.compareDefinitions(
            descriptor, descriptor.made(as: existing), facts.rules)
        return Set(difference.options.compactMap(\.steps.first?.name)).sorted()
    }

    /// Views of each database as they would be afterwards.
    private func viewGraphs(
        _ choices: [RestorePlan.Choice]
    ) throws -> [String: ViewGraph] {
        var graphs: [String: ViewGraph] = [:]
        for (namespace, info) in live.all where info.type == "view" {
            try graphs[namespace.database, default: ViewGraph()]
                .set(namespace.collection, info.options)
        }
        for choice in choices where choice.descriptor.type == .view {
            guard !keepsLiveViews || live[choice.target] == nil else { continue }
            try graphs[choice.target.database, default: ViewGraph()]
                .set(choice.target.collection, choice.descriptor.options)
        }
        return graphs
    }

    /// What is to be kept must fit into a longer name.
    private func keptName(_ choice: RestorePlan.Choice) -> [Refusal] {
        let isSwapped =
            !choice.descriptor.isAuthorization
            && ![.view, .timeseries].contains(choice.descriptor.type)
            && choice.target.collection != "system.js"
        let name = choice.target.description
        guard isSwapped, name.utf8.count > SwapName.namespaceByteCountMax else { return [] }
        return [
            Refusal(
                .namespaceConflict, choice.target,
                "\(name) can't be kept under a longer name, for no name has more than 255 bytes; "
                    + "restore it without --keep-old")
        ]
    }
}

extension String {
    /// As servers compare the names of databases: letters of ASCII without their case.
    fileprivate var withoutCase: [UInt8] {
        utf8.map { byte in
            (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte + 32 : byte
        }
    }
}

extension ServerInfo {
    /// Why nothing can be written to it; nil when it can. A server that is just being elected, or
    /// that knows of no primary, is not among those: that passes.
    fileprivate var refusesWrites: String? {
        if isReadOnly { return "the server is read-only" }
        guard isSecondary, let primary, primary != host else { return nil }
        return
            "the server \(host ?? "") is a secondary and takes no writes; connect to the primary, "
            + "\(primary), or to the whole replica set"
    }
}
