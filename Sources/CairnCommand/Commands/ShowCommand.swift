internal import ArchiveEngine
internal import ArchiveFormat
internal import ArgumentParser
internal import SnapshotJSON
internal import Snapshots

/// `cairn show`.
struct ShowCommand: Job {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show what an archive is and what is in it.",
        usage: "cairn show (<id> | --archive <file>) [<options>]",
        discussion: """
            A snapshot's manifest stands at its end and is read at once. Archives and folders of \
            mongodump, and those that come through a pipe, are read and checked as a whole.

            Examples:
              cairn show latest
              cairn show --archive dump.archive.gz --json
            """)

    @OptionGroup var source: ArchiveOptions
    @OptionGroup var output: OutputOptions

    var isItsOutput: Bool { true }

    func perform(_ observer: any JobObserver) async throws -> JobResult {
        let archive = try await source.locate()
        let clock = ContinuousClock()
        let start = clock.now
        return try await naming(archive.name) {
            let opened = try await archive.location.open()
            let reader = opened.reader
            for note in reader.notes { observer.noticed(note) }
            let description: ArchiveDescription
            if let manifest = reader.manifest {
                description = ArchiveDescription(
                    manifest, prelude: reader.prelude,
                    storedByteCount: reader.storedByteCount ?? 0,
                    seal: opened.indexed?.seal,
                    seconds: start.duration(to: clock.now) / .seconds(1))
            } else {
                let counted = try await Self.count(reader, observer)
                description = ArchiveDescription(
                    reader.prelude, totals: counted.totals,
                    storedByteCount: reader.storedByteCount ?? counted.storedByteCount,
                    seconds: start.duration(to: clock.now) / .seconds(1))
            }
            return ShowSummary(archive: archive, description: description).result
        }
    }

    /// Reads and checks all of an archive, and counts the documents of each namespace.
    private static func count(
        _ reader: any ArchiveReader, _ observer: any JobObserver
    ) async throws -> (totals: [DocumentTotals], storedByteCount: UInt64) {
        var ledger = ArchiveLedger(reader.prelude)
        var storedByteCount: UInt64 = 0
        let meter = VerificationMeter(reader, observer)
        while let pending = try await reader.next() {
            let chunk = try pending.decoded()
            try ledger.enter(chunk)
            storedByteCount += UInt64(pending.storedByteCount)
            meter.add(
                storedByteCount: pending.storedByteCount,
                documents: chunk.blocks.reduce(into: DocumentTotals()) { $0.append($1.totals) })
        }
        try ledger.close(manifest: reader.manifest)
        let totals = reader.prelude.namespaces.map { descriptor in
            ledger.ordinals[descriptor.dataNamespace].map { ledger.totals(of: $0) }
                ?? DocumentTotals()
        }
        return (totals, storedByteCount)
    }
}
