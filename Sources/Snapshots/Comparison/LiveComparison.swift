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
        guard let reader = try await location.open() as? IndexedArchiveReader else {
            throw SnapshotError(
                .unsupported,
                "only an archive with an index can be compared with a server; make one with "
                    + "\"cairn index\"")
        }
        let server = try await pool.withConnection { try await $0.serverInfo() }
        let choices = try RestorePlan.choose(reader, restore, server, observer)
        let moment = try await moment(server)
        let user = try await pool.withConnection { try await $0.userPrivileges() }
        let live = try await LiveCatalog.read(
            Set(choices.map(\.target.database)), pool, user)
        let rules = purpose == .preview ? restore.rules(for: server) : .comparing
        try Self.checkPrivileges(choices, live, server, user)
        if purpose == .preview {
            try live.checkKinds(choices, .replace)
            for note in try ViewRenames.readingNothing(choices, live) { observer.noticed(note) }
            try await foretellReplay(reader.chunks, server)
        }
        var report = Report(
            manifest: reader.chunks.index.manifest, moment: moment, entries: [], seconds: 0)
        if purpose == .preview {
            report.adjustments = try RestorePlan.adjustments(choices, rules, observer)
        }
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
            report.entries += try await onlyLive(reader.chunks.index.manifest)
        }
        report.seconds = start.duration(to: clock.now).inSeconds
        return report
    }

    /// Says when a restore could not replay the snapshot's oplog.
    private func foretellReplay(_ chunks: IndexedChunks, _ server: ServerInfo) async throws {
        let namespaces = chunks.index.manifest.namespaces
        guard restore.replaysOplog, restore.filter.isEverything, restore.renames.isEmpty,
            let oplog = namespaces.firstIndex(where: \.descriptor.isOplog)
        else { return }
        let survey = try await OplogSurvey(
            chunks, UInt32(oplog), for: server, width: options.width)
        guard let refusal = survey.refusal else { return }
        observer.noticed(
            "a restore with --mode replace would be refused: \(SnapshotError(refusal))")
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
            var pair = ComparedPair(choice.target, options)
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
        var pair = ComparedPair(choice.target, options, rules)
        try pair.compareDefinitions(choice.descriptor, live)
        let type = choice.descriptor.type
        let isComparable = type == live.type || type == .special && live.type == .collection
        guard isComparable, type != .view else { return pair.difference }
        try await pair.compareDocuments(
            documents,
            LiveDocuments(
                live.dataNamespace, pool, at: moment,
                hasCollation: live.options.first("collation") != nil))
        return pair.difference
    }

    /// Collections that the snapshot's own selection would take now and that it does not have.
    private func onlyLive(_ manifest: Manifest) async throws -> [Report.Entry] {
        let selection = try NamespaceFilter(manifest.selection)
        let archived = Set(manifest.namespaces.map(\.descriptor.namespace))
        var entries: [Report.Entry] = []
        let matcher = NamespaceMatcher(restore.filter)
        for listing in try await SourceCatalog.Listing.all(pool, selection) {
            for info in listing.taken.sorted(by: { $0.name < $1.name }) {
                let namespace = Namespace(listing.database, info.name)
                let isHandled =
                    archived.contains(namespace) || !matcher.contains(namespace)
                guard !isHandled else { continue }
                let type = NamespaceType(rawValue: info.type) ?? .collection
                let count =
                    type == .view
                    ? 0 : try await LiveDocuments(namespace, pool, at: nil).documentCount
                entries.append(
                    Report.Entry(
                        source: namespace, type: type,
                        difference: .onlyInSecond(namespace, documentCount: count)))
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
