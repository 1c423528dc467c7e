internal import ArchiveFormat
internal import BSONBytes
internal import MongoDriver

/// The collections and views of a replay, and what commands of the oplog do to them.
struct ReplayedCatalog {
    private(set) var collections = ReplayedCollections()
    /// What was made anew at the end.
    private(set) var remade: [any RestoreTarget] = []
    private let plan: RestorePlan
    private let context: RestoreContext
    private var views: ReplayedViews

    init(_ plan: RestorePlan, _ context: RestoreContext) {
        self.plan = plan
        self.context = context
        views = ReplayedViews(plan)
        for (origin, choice) in plan.choices.enumerated() where choice.descriptor.type != .view {
            collections.add(
                ReplayedCollection(choice: choice, target: plan.targets[origin], origin: origin))
        }
    }

    /// The collection that an entry changes a document of; nil for one that does not come back, and
    /// for one that was gone when the collections were listed.
    func staging(of entry: OplogEntry) -> Namespace? {
        collections.key(entry.uuid, entry.namespace).flatMap { collections[$0]?.staging }
    }

    /// Views are documents of a collection of their database. Where entries are about it, it is
    /// made beside the live data like all others.
    mutating func stageViews(of database: String) async throws {
        guard let documents = try views.beginReplay(of: database) else { return }
        try await stage(NamespaceDescriptor(views: database))
        guard !documents.isEmpty, let added = collections.all.last else { return }
        _ = try await added.target.load(documents[...])
    }

    /// Applies a command, one that `OplogRules` has checked.
    ///
    /// - Throws: `OplogRefusal` for one that can't be replayed.
    mutating func apply(_ entry: OplogEntry, _ command: BSONElement) async throws {
        let name = Namespace(entry.namespace.database, command.value.string ?? "")
        switch command.name {
        case "create": try await create(entry, name)
        case "renameCollection": try await rename(entry)
        case "drop":
            try await drop(collections.key(entry.uuid, name))
            if name.collection == "system.views" { views.forget(name.database) }
        case "emptycapped": try await empty(collections.key(entry.uuid, name))
        case "collMod": try await modify(collections.key(entry.uuid, name), entry.object)
        case "createIndexes", "commitIndexBuild", "abortIndexBuild", "dropIndexes",
            "deleteIndexes", "dropIndex", "deleteIndex":
            guard let key = collections.key(entry.uuid, name) else { return }
            try changeIndexes(key, command.name, entry.object)
        default:
            throw entry.refusal(
                "its command \(OplogRefusal.quoted(command.name)) can't be replayed")
        }
    }

    // MARK: Commands

    private mutating func create(_ entry: OplogEntry, _ name: Namespace) async throws {
        // One that is known was made before the collections were listed.
        guard collections.key(entry.uuid, name) == nil, isReplayed(name) else { return }
        try await stage(NamespaceDescriptor(created: entry, name.collection))
    }

    private mutating func rename(_ entry: OplogEntry) async throws {
        guard let source = try entry.object.first("renameCollection")?.string,
            let target = try entry.object.first("to")?.string,
            let from = Namespace(parsing: source), let to = Namespace(parsing: target)
        else { throw entry.refusal("it does not name a collection") }
        if let dropped = try entry.object.first("dropTarget") {
            let uuid = dropped.binary.map { Array($0.payload) }
            if uuid != nil || dropped.isTruthy { try await drop(collections.key(uuid, to)) }
        }
        // One that was gone when the collections were listed, or that does not come back.
        guard let key = collections.key(entry.uuid, from) else { return }
        guard from.database == to.database, isReplayed(to) else {
            throw entry.refusal("it moves a collection to where a replay can't")
        }
        // A server refuses to rename to what is there.
        if collections[key]?.choice.descriptor.uuid == nil {
            try await drop(collections.key(nil, to))
        }
        guard var renamed = collections[key] else { return }
        renamed.choice.descriptor.rename(to: to)
        renamed.choice.target = renamed.choice.descriptor.namespace
        collections[key] = renamed
    }

    private mutating func drop(_ key: ReplayedCollections.Key?) async throws {
        guard let key, let collection = collections[key] else { return }
        collections[key] = nil
        try await collection.target.abandon()
    }

    private func empty(_ key: ReplayedCollections.Key?) async throws {
        guard let staging = key.flatMap({ collections[$0]?.staging }) else { return }
        let command = BSONDocument {
            $0.append("delete", staging.collection)
            let all = BSONDocument {
                $0.append("q", BSONDocument())
                $0.append("limit", Int32(0))
            }
            $0.append("deletes", array: [all])
        }
        _ = try await context.pool.withConnection { connection in
            try await connection.write(command, on: staging.database)
        }
    }

    private mutating func modify(
        _ key: ReplayedCollections.Key?, _ object: BSONDocument
    ) async throws {
        guard let key, var collection = collections[key] else { return }
        var command = BSONBuilder()
        command.append("collMod", collection.staging.collection)
        var isForServer = false
        for element in try object.elements().dropFirst() {
            if element.name == "index" {
                try collection.choice.descriptor.modifyIndex(
                    element.value.document ?? BSONDocument())
                continue
            }
            try collection.choice.descriptor.modifyOption(element)
            // What depends on the rest of the collection's nature is done when it is complete.
            guard Self.optionsForServer.contains(element.name) else { continue }
            command.append(element)
            isForServer = true
        }
        collections[key] = collection
        guard isForServer, collection.hasOptions else { return }
        let staging = collection.staging
        _ = try await context.pool.withConnection { connection in
            try await connection.run(command.document, on: staging.database, as: .write)
        }
    }

    private static let optionsForServer: Set<String> = [
        "validator", "validationLevel", "validationAction", "changeStreamPreAndPostImages",
        "recordPreImages",
    ]

    private mutating func changeIndexes(
        _ key: ReplayedCollections.Key, _ command: String, _ object: BSONDocument
    ) throws {
        guard var descriptor = collections[key]?.choice.descriptor else { return }
        let listed = try object.first("indexes")?.array()?.compactMap(\.document) ?? []
        switch command {
        case "createIndexes" where listed.isEmpty:
            try descriptor.addIndex(
                BSONDocument { builder in
                    for element in try object.elements().dropFirst() { builder.append(element) }
                })
        case "createIndexes", "commitIndexBuild":
            for index in listed { try descriptor.addIndex(index) }
        case "abortIndexBuild":
            for index in listed {
                try descriptor.removeIndex(index.first("name")?.string ?? "")
            }
        default:
            if let name = try object.first("index")?.string { try descriptor.removeIndex(name) }
        }
        collections[key]?.choice.descriptor = descriptor
    }

    // MARK: Making and finishing

    private mutating func stage(_ descriptor: NamespaceDescriptor) async throws {
        let choice = RestorePlan.Choice(
            position: 0, descriptor: descriptor, target: descriptor.namespace, isSmall: false,
            isReplayed: true)
        let target =
            descriptor.isViews
            ? try StagedCollection(choice, nil, plan.factory.options, context)
            : try plan.factory.target(choice)
        collections.add(ReplayedCollection(choice: choice, target: target, origin: nil))
        try await target.prepare()
    }

    /// Whether a collection of that name comes back.
    private func isReplayed(_ name: Namespace) -> Bool {
        ServerNamespaces.isBackedUp(name)
            && (plan.factory.options.restoresUsersAndRoles
                || !NamespaceDescriptor(namespace: name, type: .collection).isAuthorization)
    }

    /// Makes everything ready to be put in place.
    ///
    /// - Throws: the codes of `RestoreChecks` for what entries have made.
    mutating func finish(replayedCount: UInt64) async throws -> Restored {
        var finished: [ReplayedCollection] = []
        var choices: [(choice: RestorePlan.Choice, origin: Int?)] = []
        for collection in collections.all {
            if collection.choice.descriptor.isViews {
                try await views.read(collection, context)
            } else {
                finished.append(collection)
            }
        }
        choices += finished.map { ($0.choice, $0.origin) } + views.choices(plan)
        for index in choices.indices { choices[index].choice.isReplayed = false }
        try RestorePlan.checkConflicts(choices.map(\.choice))
        let facts = try await RestoreFacts.read(choices.map(\.choice), for: context)
        let refusals = try RestoreChecks(facts, hasIndex: plan.factory.chunks != nil)
            .refusals(of: choices.map(\.choice), RestoreWay(plan.factory.options))
        if let refusal = SnapshotError(refusals) { throw refusal }
        let factory = RestoreTargetFactory(
            options: plan.factory.options, context: context, live: facts.live, chunks: nil,
            viewsInTheWay: try ViewGraph.viewsInTheWay(choices.map(\.choice), facts.live))
        var targets: [(any RestoreTarget, origin: Int?)] = []
        for (index, (choice, origin)) in choices.enumerated() {
            guard index < finished.count else {
                targets.append((try factory.target(choice), origin))
                continue
            }
            let staged = finished[index].target
            let target = try factory.target(choice, in: Self.isCapped(choice) ? nil : staged.place)
            if try Self.isCapped(choice) { try await remake(target, from: staged) }
            targets.append((target, origin))
        }
        return Restored(targets, replayedCount: replayedCount)
    }

    private static func isCapped(_ choice: RestorePlan.Choice) throws -> Bool {
        try choice.descriptor.options.first("capped")?.isTruthy ?? false
    }

    /// A capped collection was replayed on as an ordinary one. Copied in order, it is what it was.
    private mutating func remake(
        _ target: any RestoreTarget, from staged: any RestoreTarget
    ) async throws {
        guard let place = staged.place else { return }
        remade.append(target)
        try await target.prepare()
        try await StoredDocuments(namespace: place.namespace, pool: context.pool)
            .forEachBatch { _ = try await target.load(Array($0.joined())[...]) }
        try await staged.abandon()
    }
}
