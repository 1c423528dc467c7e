internal import ArchiveEngine
internal import ArchiveFormat
internal import BSONBytes
internal import MongoDriver
internal import ObjectStorage

/// What becomes of each namespace of an archive, decided before anything is written.
struct RestorePlan: Sendable {
    /// Positions in the prelude of the namespaces that are read.
    let selected: Set<UInt32>
    /// Those that the archive is read through for.
    let targets: [any RestoreTarget]
    /// What the targets were made of, in their order.
    let choices: [Choice]
    let factory: RestoreTargetFactory
    /// Those that read what they need of it themselves.
    let patches: [PatchedCollection]
    /// Position in the prelude of the oplog that is replayed; nil where none is.
    let oplog: UInt32?
    /// What is left out or changed of options and indexes.
    let adjustments: [String]

    /// - Throws: `namespaceConflict` when two namespaces would end up in one place or a new name is
    ///   not allowed; `notFound` when nothing fits the selection; the codes of `RestoreChecks`.
    init(
        _ opened: OpenedArchive, _ options: Restore.Options, _ context: RestoreContext
    ) async throws {
        let archive = opened.reader
        let oplog = Self.oplog(archive, options, context)
        let choices = try Self.choose(
            archive, options, context.server, context.observer, isReplayed: oplog != nil)
        let facts = try await RestoreFacts.read(choices, for: context)
        let checks = RestoreChecks(
            facts, hasIndex: opened.indexed != nil,
            keepsLiveViews: options.keepsLiveViews)
        let refusals = try checks.refusals(of: choices, RestoreWay(options))
        if let refusal = SnapshotError(refusals) { throw refusal }
        for note in try ViewRenames.readingNothing(choices, facts.live) {
            context.observer.noticed(note)
        }
        try self.init(choices, facts.live, opened.indexed?.chunks, oplog: oplog, options, context)
    }

    /// Plans with what is known of the server. `RestoreChecks` must have found nothing for what
    /// is planned to be possible.
    init(
        _ choices: [Choice], _ live: LiveCatalog, _ chunks: IndexedChunks?, oplog: UInt32?,
        _ options: Restore.Options, _ context: RestoreContext
    ) throws {
        self.oplog = oplog
        adjustments = try Self.adjustments(choices, context.rules, context.observer)
        Self.tellOfValidators(choices, live, options.mode, context)
        let factory = RestoreTargetFactory(
            options: options, context: context, live: live,
            chunks: chunks,
            viewsInTheWay: try ViewGraph.viewsInTheWay(choices, live))
        self.factory = factory
        let patches = try choices.map { try factory.patch($0) }
        let others = zip(choices, patches).filter { $1 == nil }.map(\.0)
        self.patches = patches.compactMap(\.self)
        self.choices = others
        let targets = try others.map { try factory.target($0) }
        self.targets = targets
        if context.keeping != nil { Self.tellWhatIsNotKept(targets, context.observer) }
        let read = zip(others, targets).filter { !$1.readsArchiveItself }
        selected = Set(read.map { UInt32($0.0.position) } + [oplog].compactMap(\.self))
    }

    private static func tellWhatIsNotKept(
        _ targets: [any RestoreTarget], _ observer: any JobObserver
    ) {
        let others = targets.filter { !$0.canBeKept }.map(\.namespace.description)
        guard !others.isEmpty else { return }
        observer.noticed(
            "no old state is kept of views, time series, system.js, users and roles: "
                + others.sorted().joined(separator: ", "))
    }

    /// Documents that a validator refuses are only written by users who may pass it by.
    private static func tellOfValidators(
        _ choices: [Choice], _ live: LiveCatalog, _ mode: Restore.Mode, _ context: RestoreContext
    ) {
        let validated = choices.filter { choice in
            let existing = mode == .merge ? live[choice.target]?.options : nil
            let options = existing ?? choice.descriptor.options
            return options.mayHave("validator")
                && !context.allows("bypassDocumentValidation", on: choice.target)
        }
        guard !validated.isEmpty else { return }
        context.observer.noticed(
            "documents have to pass the validators of their collections, for the user may not "
                + "write past them (bypassDocumentValidation, as dbAdmin has it): "
                + validated.map(\.target.description).sorted().joined(separator: ", "))
    }

    /// A collection that the user may read when the plan's needs are met; nil when it is empty.
    var readable: Namespace? {
        targets.first { $0.source.type != .view }?.readable ?? patches.first?.namespace
            ?? targets.first?.readable
    }

    /// Staging collections that it resumes.
    var leftovers: Set<Namespace> {
        Set(targets.compactMap(\.leftover))
    }

    /// Databases that are written to.
    var databases: Set<String> {
        Set(targets.map(\.namespace.database) + patches.map(\.namespace.database))
    }

    /// The targets that documents are loaded into, by what blocks of the archive call them.
    var targetsByDataNamespace: [Namespace: (position: Int, target: any RestoreTarget)] {
        Dictionary(
            targets.enumerated().filter { !$1.readsArchiveItself }.map {
                ($1.source.dataNamespace, ($0, $1))
            },
            uniquingKeysWith: { first, _ in first })
    }

    /// Bytes of all documents that will be loaded, when the archive says so.
    func byteCountTotal(_ reader: any ArchiveReader) -> UInt64? {
        reader.manifest.map { manifest in
            selected.map { manifest.namespaces[Int($0)].totals.byteCount }.clampedSum()
        }
    }

    /// A namespace of the archive that is to be restored.
    struct Choice: Sendable {
        var position: Int
        var descriptor: NamespaceDescriptor
        var target: Namespace
        /// Whether all of it lies in one chunk that it shares with others.
        var isSmall: Bool
        /// Whether an oplog is replayed on what is loaded, before it is put in place.
        var isReplayed = false

        /// Where its documents go on that server.
        func dataNamespace(on server: ServerInfo) -> Namespace {
            Namespace(
                target.database,
                ArchivePrelude.dataCollection(
                    of: target.collection, type: descriptor.type,
                    serverVersion: server.versionString))
        }
    }

    /// What of an archive is selected, and under which names it comes back.
    ///
    /// - Parameter isReplayed: whether an oplog is replayed on it.
    /// - Throws: `namespaceConflict`, `notFound`.
    static func choose(
        _ archive: any ArchiveReader, _ options: Restore.Options, _ server: ServerInfo,
        _ observer: any JobObserver, isReplayed: Bool = false
    ) throws -> [Choice] {
        let prelude = archive.prelude
        // Those are loaded with their indexes, which would refuse what entries do for a while.
        let small = isReplayed ? [] : archive.smallNamespaces
        try checkRenames(options.renames, prelude)
        var choices: [Choice] = []
        var seen: Set<Namespace> = []
        let matcher = NamespaceMatcher(options.filter)
        for (position, descriptor) in prelude.namespaces.enumerated() where !descriptor.isOplog {
            try Task.checkCancellation()
            guard matcher.contains(descriptor.namespace),
                seen.insert(descriptor.dataNamespace).inserted
            else { continue }
            switch disposition(descriptor, options) {
            case .restored: break
            case .leftOut: continue
            case .missed(let reason):
                observer.noticed("left out \(descriptor.namespace): \(reason)")
                continue
            }
            let target = try renamed(descriptor, options.renames)
            guard target.database != "local" || server.role == .standalone else {
                throw SnapshotError(
                    .namespaceConflict,
                    "\(descriptor.namespace) can't be restored into the database local: each "
                        + "member of a replica set has its own; choose another with --ns-rename")
            }
            choices.append(
                Choice(
                    position: position, descriptor: descriptor, target: target,
                    isSmall: small.contains(UInt32(position)), isReplayed: isReplayed))
        }
        guard !choices.isEmpty || options.filter.isEverything else {
            throw SnapshotError(
                .notFound,
                "no namespace of the archive fits the selection; \"cairn show\" lists those it has")
        }
        try checkConflicts(choices)
        return try ViewRenames(choices).apply(to: choices) { observer.noticed($0) }
    }

    /// Entries of an oplog are about a whole server as it was, under the names that it had.
    static func oplog(
        _ archive: any ArchiveReader, _ options: Restore.Options, _ context: RestoreContext
    ) -> UInt32? {
        let position = archive.prelude.namespaces.firstIndex(where: \.isOplog)
        guard let position else { return nil }
        // Of an archive that comes through a pipe it is not known yet, nor of mongodump's.
        let isOfNoInstant = archive.manifest?.consistency == Manifest.Consistency.none
        let reason: String
        if !options.replaysOplog {
            reason = "as asked"
        } else if isOfNoInstant {
            reason = "the archive was salvaged from one that was not whole"
        } else if options.mode != .replace || options.isInPlace {
            reason = "only a restore that loads beside the live data can replay it"
        } else if !options.filter.isEverything || !options.renames.isEmpty {
            reason = "it can't be replayed on a selection or under other names"
        } else {
            return UInt32(position)
        }
        context.observer.noticed(
            "left out the oplog: \(reason). Collections that were written to during the backup "
                + "come back as its cursors found them, not all of one instant")
        return nil
    }

    /// Whether a namespace comes back.
    private enum Disposition {
        case restored
        /// It is the server's own, or not wanted: nobody expects it back.
        case leftOut
        /// Somebody might miss it.
        case missed(String)
    }

    private static func disposition(
        _ descriptor: NamespaceDescriptor, _ options: Restore.Options
    ) -> Disposition {
        let namespace = descriptor.namespace
        if namespace.collection.hasPrefix("$admin.") {
            return .missed("users and roles of a single database are not supported")
        }
        // Views come back by their definitions, the profiler's records belong to the server, and
        // the other two are what the storage engine before WiredTiger kept in collections.
        let servers = ["system.views", "system.profile", "system.indexes", "system.namespaces"]
        if servers.contains(namespace.collection) { return .leftOut }
        if namespace.database == "local", namespace.collection.hasPrefix("oplog.") {
            return .missed(
                "it is the oplog of a server; one that is replayed is the file oplog.bson in the "
                    + "top folder of a dump")
        }
        if descriptor.isAuthorization, !options.restoresUsersAndRoles { return .leftOut }
        return ServerNamespaces.isServersOwn(namespace) ? .leftOut : .restored
    }

    /// A rename that fits nothing is a typing error, and without it the restore would go to the
    /// live namespace that it was to spare.
    private static func checkRenames(
        _ renames: [NamespaceRename], _ prelude: ArchivePrelude
    ) throws {
        for rename in renames {
            try Task.checkCancellation()
            let isUsed = prelude.namespaces.contains { rename.target(of: $0.namespace) != nil }
            guard !isUsed else { continue }
            throw SnapshotError(
                .notFound,
                "rename \"\(rename.from.text)=\(rename.to.text)\" fits no namespace of the "
                    + "archive; \"cairn show\" lists those it has")
        }
    }

    private static func renamed(
        _ descriptor: NamespaceDescriptor, _ renames: [NamespaceRename]
    ) throws -> Namespace {
        let namespace = descriptor.namespace
        guard !descriptor.isAuthorization else { return namespace }
        guard let target = renames.reversed().lazy.compactMap({ $0.target(of: namespace) }).first
        else {
            // The folder of a dump may have any name.
            guard isDatabaseName(namespace.database) else {
                throw SnapshotError(
                    .namespaceConflict,
                    "\"\(namespace.database)\" is not a name of a database; choose another one for "
                        + "its collections with --ns-rename")
            }
            guard !namespace.collection.contains(".system.") else {
                throw SnapshotError(
                    .namespaceConflict,
                    "no server makes a collection whose name has \".system.\" in it, as "
                        + "\(namespace) has; choose another one with --ns-rename, or leave it out "
                        + "with --ns-exclude")
            }
            return namespace
        }
        try checkName(target, from: namespace)
        return target
    }

    private static func isDatabaseName(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.count <= 63 && !name.contains { "/\\. \"$\u{0}".contains($0) }
    }

    /// The server's rules for names (manual, "Naming restrictions"), told before anything is
    /// written.
    private static func checkName(_ target: Namespace, from source: Namespace) throws {
        let isAllowed =
            isDatabaseName(target.database)
            && !target.collection.isEmpty && !target.collection.contains("$")
            && !target.collection.contains("\u{0}")
            && (!target.collection.hasPrefix("system.") || target.collection == "system.js")
            && !target.collection.contains(".system.")
            && target.description.utf8.count <= 255
            && !ReservedName.contains(target.collection)
        guard isAllowed else {
            throw SnapshotError(
                .namespaceConflict,
                "\(source) can't be renamed to \"\(target)\": a server does not allow that name")
        }
    }

    static func checkConflicts(_ choices: [Choice]) throws {
        var sources: [Namespace: Namespace] = [:]
        for choice in choices {
            let source = choice.descriptor.namespace
            if let other = sources.updateValue(source, forKey: choice.target) {
                throw SnapshotError(
                    .namespaceConflict,
                    "\(other) and \(source) would both be restored to \(choice.target); change "
                        + "--ns-rename or leave one out with --ns-exclude")
            }
        }
    }
}
