internal import ArgumentParser
internal import MongoDriver
internal import Snapshots

/// `cairn restore`.
struct RestoreCommand: Job {
    static let configuration = CommandConfiguration(
        commandName: "restore",
        abstract: "Put a snapshot back.",
        usage: """
            cairn restore (<id> | --archive <file>) --mode <mode> [--uri <uri>] [<options>]
            cairn restore --undo <job> [--uri <uri>]
            """,
        discussion: """
            With --mode replace each collection is afterwards exactly the snapshot's: it is loaded \
            beside the live one, compared, and swapped in. A restore that fails leaves the live \
            data as it was. With --mode merge missing documents are inserted, differing ones \
            overwritten or kept, equal ones not written at all, and nothing is deleted. With \
            --mode preview nothing is written: it tells which documents would be inserted, \
            overwritten or deleted, and which options and indexes differ.

            Examples:
              cairn restore latest --mode preview
              cairn restore latest --mode replace
              cairn restore latest --mode replace --in-place
              cairn restore latest --mode replace --keep-old --keep-for 24h
              cairn restore --undo 20261124T084512Z-restore-3f9a1c
              cairn restore latest --mode replace --resume
              cairn restore 20261123T0845 --mode merge --ns-include 'shop.*'
              cairn restore latest --mode merge --on-conflict keep
              cairn restore latest --mode replace --ns-rename 'shop.*=copy.*'
              cairn restore --archive dump.archive.gz --mode replace
              cairn restore --archive dump/ --mode replace
              cairn restore --archive dump/shop/orders.bson --mode merge
              ssh vault cat shop.archive.gz | cairn restore --archive - --mode replace
            """)

    @OptionGroup var source: ArchiveOptions

    /// What happens to what is there.
    @Option(
        help: ArgumentHelp(
            "What becomes of live data: preview, merge or replace; no default.", valueName: "mode"))
    var mode: ModeName?

    /// What a merge does with differing documents.
    @Option(
        help: ArgumentHelp(
            "With --mode merge, what becomes of a live document that differs from the snapshot's: "
                + "it is overwritten, or kept. (default: overwrite)",
            valueName: "rule"))
    var onConflict: Restore.ConflictRule?

    /// Whether only the difference is written.
    @Flag(
        help: ArgumentHelp(
            "With --mode replace, write only the difference, deletions last: the fast way back "
                + "when little changed."))
    var inPlace = false

    @OptionGroup var keep: KeepOptions

    /// Whether to resume what a killed restore has begun.
    @Flag(
        help: ArgumentHelp(
            "Resume what a killed or interrupted restore of the same archive has loaded: it is "
                + "compared, and only what is missing is written."))
    var resume = false

    @OptionGroup var endurance: EnduranceOptions
    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var selection: SelectionOptions

    /// New names for namespaces.
    @Option(
        help: ArgumentHelp(
            "Restore under another name, such as 'shop.*=copy.*'; may be repeated.",
            valueName: "from=to"))
    var nsRename: [String] = []

    /// Whether users and roles stay as they are.
    @Flag(help: "Leave users and roles alone.")
    var noUsersAndRoles = false

    /// Whether the archive's oplog is left out.
    @Flag(
        help: ArgumentHelp(
            "Do not replay the oplog of an archive that has one: what comes back is then not of "
                + "one instant."))
    var noOplog = false

    @OptionGroup var indexes: IndexOptions
    @OptionGroup var samples: SampleOptions
    @OptionGroup var width: WidthOptions

    /// Chunks that are written at once.
    @Option(
        help: ArgumentHelp(
            "How many connections write at once, 1 to 64. (default: one a processor, at least 2 "
                + "and at most 8)",
            valueName: "count"))
    var writers: Int?

    /// Documents of one insert.
    @Option(
        help: ArgumentHelp(
            "The most documents of one insert, 1 to 100000. (default: 1000)", valueName: "count"))
    var batchDocuments: Int?

    @OptionGroup var rate: RateOptions
    @OptionGroup var lock: LockOptions
    @OptionGroup var config: ConfigurationOptions
    @OptionGroup var output: OutputOptions

    var cancellationMessage: String {
        switch mode {
        case nil: "cancelled; what was put back so far stays"
        case .replace where inPlace:
            "cancelled; collections may be between what they were and the snapshot, and running it "
                + "again goes on"
        case .replace: "cancelled; the live data is as it was"
        case .preview: "cancelled; nothing was written"
        case .merge: "cancelled; documents merged so far stay, and running it again continues"
        }
    }

    var isItsOutput: Bool { mode == .preview && keep.undo == nil }

    func validate() throws {
        guard mode != nil || keep.undo != nil else {
            throw ValidationError("Missing expected argument '--mode <mode>'")
        }
    }

    func perform(_ observer: any JobObserver) async throws -> JobResult {
        if let job = keep.undo { return try await undo(job, observer) }
        let mode = mode ?? .preview
        let options = try makeOptions(mode, try await config.load())
        let archive = try await source.locate()
        let pool = try connection.makePool(
            connectionCountMax: options.connectionCount, isPatient: true,
            waitsForServer: endurance.waitsForServer)
        defer { pool.close() }
        return try await naming(archive.name) {
            if mode == .preview {
                return try await lock.using(archive, as: .preview, observer) {
                    try await preview(archive, options, pool, observer)
                }
            }
            let report = try await locked(archive, options, pool, observer) {
                try await Restore(
                    archive.location, to: pool, options: options, observer: observer
                ).run()
            }
            return RestoreSummary(report: report, options: options, archive: archive).result
        }
    }

    /// The snapshot stays, and nobody else works on the same collections meanwhile, as far as the
    /// repository's users know of each other.
    private func locked(
        _ archive: ArchiveOptions.Located, _ options: Restore.Options, _ pool: MongoPool,
        _ observer: any JobObserver, _ body: @escaping () async throws -> RestoreReport
    ) async throws -> RestoreReport {
        guard let id = archive.snapshot, let repository = archive.repository else {
            return try await body()
        }
        // The snapshot at once: asking the server which one it is may take long.
        return try await lock.using(archive, as: .restore, observer) {
            let deployment = try await Deployment(
                pool, enduranceSeconds: options.enduranceSeconds, observer: observer)
            return try await repository.locks.withLock(
                .restore(of: id, to: deployment, options),
                waitSeconds: lock.seconds, observer: observer, body)
        }
    }

    private func undo(_ text: String, _ observer: any JobObserver) async throws -> JobResult {
        guard mode == nil, source.id == nil, source.archive == nil else {
            throw Failure.usage("--undo takes a job's name and neither a snapshot nor a mode")
        }
        guard let job = JobID(text) else {
            throw Failure.usage("\"\(text)\" is no job's name; \"cairn kept\" lists them")
        }
        let pool = try connection.makePool(connectionCountMax: 8, isPatient: true)
        defer { pool.close() }
        let newJob = JobID(kind: "undo", .system)
        let report = try await Undo(of: job, as: newJob, on: pool, observer: observer).run()
        return UndoSummary(undone: job, job: newJob, report: report).result
    }

    private func preview(
        _ archive: ArchiveOptions.Located, _ options: Restore.Options, _ pool: MongoPool,
        _ observer: any JobObserver
    ) async throws -> JobResult {
        var comparison = Comparison.Options(width: options.width)
        comparison.sampleCount = try samples.count(standard: comparison.sampleCount)
        let report = try await LiveComparison(
            archive.location, with: pool, for: .preview, restore: options, options: comparison,
            observer: observer
        ).run()
        return try PreviewSummary(report: report).result
    }

    private func makeOptions(
        _ mode: ModeName, _ file: Configuration
    ) throws -> Restore.Options {
        var options = Restore.Options(
            mode: mode.written ?? .replace, width: try width.resolved(file))
        guard !keep.keepOld || mode == .replace && !inPlace else {
            throw Failure.usage("--keep-old is for --mode replace without --in-place")
        }
        guard !resume || mode != .preview else {
            throw Failure.usage("--resume is for restores that write")
        }
        options.keepOld = try keep.kept(.system)
        options.isResumed = resume && mode == .replace && !inPlace
        options.enduranceSeconds = endurance.seconds
        guard onConflict == nil || mode == .merge else {
            throw Failure.usage("--on-conflict is for --mode merge: no other mode has conflicts")
        }
        guard samples.samples == nil || mode == .preview else {
            throw Failure.usage("--samples is for --mode preview")
        }
        guard !inPlace || mode == .replace else {
            throw Failure.usage("--in-place is for --mode replace")
        }
        options.isInPlace = inPlace
        options.conflictRule = onConflict ?? options.conflictRule
        options.writerCount =
            try WidthOptions.checked(writers, "--writers") ?? file.writers
            ?? max(2, WidthOptions.processorCount)
        let batchDocuments = batchDocuments ?? file.batchDocuments ?? options.batchDocumentCount
        guard (1...100_000).contains(batchDocuments) else {
            throw Failure.usage("--batch-documents is a number from 1 to 100000")
        }
        options.batchDocumentCount = batchDocuments
        options.rateLimiter = try rate.makeLimiter(file)
        options.renames = try nsRename.map { try NamespaceRename($0) }
        options.filter = try selection.makeFilter(renames: options.renames)
        options.restoresUsersAndRoles = !noUsersAndRoles
        options.replaysOplog = !noOplog
        options.restoresIndexes = !indexes.noIndexes
        options.convertsLegacyIndexes = indexes.convertLegacyIndexes
        return options
    }
}
