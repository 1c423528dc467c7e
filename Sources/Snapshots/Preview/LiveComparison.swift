internal import ArchiveEngine
public import ArchiveFormat
public import BSONBytes
public import MongoDriver

/// Compares a snapshot with what a server holds, as of one cluster time where it has such: what a
/// restore would do, exactly. Each side is scanned once, or a few times when the snapshot's
/// documents do not fit in memory; nothing is written.
public struct LiveComparison: Sendable {
    /// What the comparison is for.
    public enum Purpose: Sendable {
        /// What a restore would do: only what is in the snapshot and selected, under its new names.
        case preview
        /// What has changed: also what the snapshot would have, were it taken now.
        case difference
    }

    /// What differs.
    public struct Report: Sendable {
        /// A namespace of the snapshot.
        public struct Entry: Sendable {
            /// Its name in the snapshot.
            public var source: Namespace
            /// Its name on the server; that of the difference.
            public var target: Namespace { difference.namespace }
            public var type: NamespaceType
            /// The snapshot is the first side, the server the second.
            public var difference: NamespaceDifference
        }

        public var manifest: Manifest
        /// The cluster time at which the server was read; nil when it was read as it came.
        public var moment: BSONTimestamp?
        /// In the order of the snapshot, then what only the server has.
        public var entries: [Entry]
        /// Of a preview: what a restore would leave out or change of options and indexes, as
        /// `RestoreReport.adjustments`.
        public var adjustments: [String] = []
        /// Of a preview: for what reasons a restore would not begin.
        public var refusals: [ForetoldRefusal] = []
        /// Of a preview: what it can't foretell, one sentence each, no period.
        public var notes: [String] = []
        public var seconds: Double

        public var isEqual: Bool { entries.allSatisfy(\.difference.isEqual) }
    }

    private let location: ArchiveLocation
    private let pool: MongoPool
    private let purpose: Purpose
    private let restore: Restore.Options
    private let options: Comparison.Options
    private let observer: any JobObserver

    /// - Parameters:
    ///   - restore: what is selected, under which names.
    ///   - options: how to compare; its filter is not looked at.
    public init(
        _ location: ArchiveLocation, with pool: MongoPool, for purpose: Purpose,
        restore: Restore.Options, options: Comparison.Options, observer: any JobObserver
    ) {
        self.location = location
        self.pool = pool
        self.purpose = purpose
        self.restore = restore
        self.options = options
        self.observer = observer
    }

    /// - Throws: `ArchiveError` for a damaged archive, `unsupported` for one without an index,
    ///   `namespaceConflict` and `notFound` where a restore would say so, `MongoError`.
    public func run() async throws -> Report {
        let clock = ContinuousClock()
        let start = clock.now
        guard let reader = try await location.open().indexed else {
            throw SnapshotError(
                .unsupported,
                "only an archive with an index can be compared with a server; make one with "
                    + "\"cairn index\"")
        }
        let server = try await pool.withConnection { try await $0.serverInfo() }
        let choices = try RestorePlan.choose(reader, restore, server, observer)
        let moment = try await moment(server)
        let user = try await pool.withConnection { try await $0.userPrivileges() }
        let rules = purpose == .preview ? restore.rules(for: server) : .comparing
        var report = Report(
            manifest: reader.chunks.index.manifest, moment: moment, entries: [], seconds: 0)
        let live = try await live(choices, reader, (server, rules, user), &report)
        let recent = RecentChunk()
        for choice in choices {
            observer.progressed(
                JobProgress(phase: .comparing, subject: choice.target.description))
            let documents = ArchivedDocuments(reader.chunks, UInt32(choice.position), recent)
            let isExact = try await compare(
                choice, documents, live[choice.target], (server, rules), at: &report)
            if !isExact { report.moment = nil }
        }
        if purpose == .difference {
            report.entries += try await onlyLive(reader.chunks.index.manifest, server)
        }
        if purpose == .preview { report.notes = notes(reader, report) }
        report.seconds = start.duration(to: clock.now).inSeconds
        return report
    }

    /// What is there, and of a preview what is foretold of a restore.
    private func live(
        _ choices: [RestorePlan.Choice], _ archive: IndexedArchiveReader,
        _ reading: (server: ServerInfo, rules: DefinitionRules, user: UserPrivileges),
        _ report: inout Report
    ) async throws -> LiveCatalog {
        let (server, rules, user) = reading
        guard purpose == .preview else {
            let live = try await LiveCatalog.read(
                Set(choices.map(\.target.database)), pool, user)
            try Self.checkPrivileges(choices, live, server, user)
            return live
        }
        let facts = try await RestoreFacts.read(choices, server, rules, user, pool)
        try Self.checkPrivileges(choices, facts.live, server, user)
        let checks = RestoreChecks(facts, hasIndex: true)
        report.refusals = try ForetoldRefusal.all { try checks.refusals(of: choices, $0) }
        report.refusals += try ForetoldPrivileges(
            archive: archive, options: restore, facts: facts, user: user, pool: pool
        ).refusals()
        if let refusal = try await foretellReplay(archive.chunks, server) {
            report.refusals.append(refusal)
        }
        report.adjustments = try RestorePlan.adjustments(choices, rules, observer)
        for note in try ViewRenames.readingNothing(choices, facts.live) { observer.noticed(note) }
        return facts.live
    }

    /// That a restore could not replay the snapshot's oplog; nil when it could, or would not.
    private func foretellReplay(
        _ chunks: IndexedChunks, _ server: ServerInfo
    ) async throws -> ForetoldRefusal? {
        let namespaces = chunks.index.manifest.namespaces
        guard restore.replaysOplog, restore.filter.isEverything, restore.renames.isEmpty,
            let oplog = namespaces.firstIndex(where: \.descriptor.isOplog)
        else { return nil }
        let survey = try await OplogSurvey(
            chunks, UInt32(oplog), for: server, width: options.width)
        return survey.refusal.map { refusal in
            let error = SnapshotError(refusal)
            return ForetoldRefusal(
                refusal: Refusal(error.code, nil, error.message), ways: [.replace, .keepOld])
        }
    }

    /// What the counts leave out.
    private func notes(_ reader: IndexedArchiveReader, _ report: Report) -> [String] {
        var notes = report.entries.flatMap(\.difference.unforeseen)
        if reader.prelude.namespaces.contains(where: \.isOplog), restore.replaysOplog,
            restore.filter.isEverything, restore.renames.isEmpty
        {
            notes.append(
                "the archive has an oplog, which a replace replays before it puts anything in "
                    + "place: what that changes is not counted")
        }
        let hasUsers = report.entries.contains { entry in
            [.user, .role].contains(entry.difference.unit) && entry.difference.differingCount > 0
        }
        if hasUsers { notes.append("a merge leaves users and roles that exist as they are") }
        return notes
    }

    private func moment(_ server: ServerInfo) async throws -> BSONTimestamp? {
        guard server.role != .standalone, server.version >= ServerInfo.Version(5, 0) else {
            return nil
        }
        return try await pool.withConnection { try await $0.operationTime() }
    }

    /// - Returns: whether it was read at the report's moment.
    private func compare(
        _ choice: RestorePlan.Choice, _ documents: ArchivedDocuments, _ info: CollectionInfo?,
        _ reading: (server: ServerInfo, rules: DefinitionRules), at report: inout Report
    ) async throws -> Bool {
        func enter(_ difference: NamespaceDifference) {
            report.entries.append(
                Report.Entry(
                    source: choice.descriptor.namespace, type: choice.descriptor.type,
                    difference: difference))
        }
        guard let info else {
            var pair = ComparedPair(choice.target, choice.descriptor.type, options)
            try await pair.takeAsOnlyInFirst(documents)
            enter(pair.difference)
            return true
        }
        let live = try await NamespaceDescriptor(
            info, in: choice.target.database, pool, reading.server)
        let canReadMoment =
            try info.options.first("capped")?.isTruthy != true
            && choice.target.database != "local"
        do {
            let moment = canReadMoment ? report.moment : nil
            enter(try await difference(choice, documents, live, reading.rules, at: moment))
            return moment != nil || !canReadMoment
        } catch let error as MongoError where error.code == .snapshotUnavailable {
            observer.noticed(
                "\(choice.target) is compared as it is now: the server no longer has what it was "
                    + "when the comparison began")
            enter(try await difference(choice, documents, live, reading.rules, at: nil))
            return false
        }
    }

    private func difference(
        _ choice: RestorePlan.Choice, _ documents: ArchivedDocuments,
        _ live: NamespaceDescriptor, _ rules: DefinitionRules, at moment: BSONTimestamp?
    ) async throws -> NamespaceDifference {
        let type = choice.descriptor.type
        var pair = ComparedPair(choice.target, type, options, rules)
        try pair.compareDefinitions(choice.descriptor, live)
        let isComparable = type == live.type || type == .special && live.type == .collection
        guard isComparable else {
            let count = live.type == .view ? 0 : try await count(live.dataNamespace, at: moment)
            pair.takeAsUnlike(documents, secondCount: count)
            return pair.difference
        }
        guard type != .view else { return pair.difference }
        try await pair.compareDocuments(
            documents,
            LiveDocuments(
                live.dataNamespace, pool, at: moment,
                hasCollation: live.options.first("collation") != nil))
        guard purpose == .preview, type == .collection || type == .special,
            !choice.descriptor.isAuthorization
        else { return pair.difference }
        var difference = pair.difference
        let foresight = UniqueForesight(
            namespace: choice.target, pool: pool, sampleCount: options.sampleCount)
        let places = Array(pair.changed.prefix(UniqueForesight.documentCountMax))
        let (conflicts, unknown) = try await foresight.conflicts(
            live.indexes, places, in: documents)
        difference.uniqueConflicts = conflicts
        difference.unforeseen = try Self.unforeseen(
            choice, live, unknown, isCut: places.count < pair.changed.count)
        return difference
    }

    /// What is not known of what unique indexes make of a merge.
    private static func unforeseen(
        _ choice: RestorePlan.Choice, _ live: NamespaceDescriptor, _ unknown: [String], isCut: Bool
    ) throws -> [String] {
        func unique(_ indexes: [BSONDocument]) throws -> Set<String> {
            Set(
                try indexes.filter { try $0.first("unique")?.isTruthy == true }
                    .map { try $0.require("name", \.string) })
        }
        let own = try unique(live.indexes)
        var sentences = unknown.map { name in
            "what the unique index \(name) of \(choice.target) refuses of a merge is not fully "
                + "known: its filter, or keys of some documents, can't be read here"
        }
        if isCut, !own.isEmpty {
            sentences.append(
                "what unique indexes of \(choice.target) refuse of a merge is known of the first "
                    + "\(UniqueForesight.documentCountMax) documents only")
        }
        for name in try unique(choice.descriptor.indexes).subtracting(own).sorted() {
            sentences.append(
                "whether a merge can build the unique index \(name) of \(choice.target) is not "
                    + "known: live documents may have the same keys")
        }
        return sentences
    }

    /// How many documents there are. Cost: a scan, on the server.
    private func count(_ namespace: Namespace, at moment: BSONTimestamp?) async throws -> UInt64 {
        var request = FindRequest(
            database: namespace.database, collection: namespace.collection)
        request.atClusterTime = moment
        return try await pool.withConnection { [request] connection in
            UInt64(clamping: try await connection.count(request))
        }
    }

    /// Collections that the snapshot's own selection would take now and that it does not have.
    private func onlyLive(
        _ manifest: Manifest, _ server: ServerInfo
    ) async throws -> [Report.Entry] {
        let selection = try NamespaceFilter(manifest.selection)
        let archived = Set(manifest.namespaces.map(\.descriptor.namespace))
        var entries: [Report.Entry] = []
        let matcher = NamespaceMatcher(restore.filter)
        for listing in try await SourceCatalog.Listing.all(
            pool, selection, within: restore.filter)
        {
            for info in listing.taken.sorted(by: { $0.name < $1.name }) {
                let namespace = Namespace(listing.database, info.name)
                let isHandled =
                    archived.contains(namespace) || !matcher.contains(namespace)
                guard !isHandled else { continue }
                let type = NamespaceType(rawValue: info.type) ?? .collection
                let data = Namespace(
                    listing.database,
                    ArchivePrelude.dataCollection(
                        of: info.name, type: type, serverVersion: server.versionString))
                let count = type == .view ? 0 : try await count(data, at: nil)
                entries.append(
                    Report.Entry(
                        source: namespace, type: type,
                        difference: .onlyInSecond(namespace, type, documentCount: count)))
            }
        }
        return entries
    }
}

extension NamespaceFilter {
    /// What a backup was asked for.
    ///
    /// - Throws: `usage` for a pattern that can't be read.
    init(_ selection: Manifest.Selection) throws {
        self.init()
        database = selection.database
        included = try selection.namespacesIncluded.map { try NamespacePattern($0) }
        excluded = try selection.namespacesExcluded.map { try NamespacePattern($0) }
    }
}
