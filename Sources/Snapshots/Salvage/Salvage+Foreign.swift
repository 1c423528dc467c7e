internal import ArchiveEngine
internal import ArchiveFormat
internal import ObjectStorage

/// Archives of other tools, and those that come through a pipe: read until the first defect.
extension Salvage {
    func foreign(_ id: SnapshotID) async throws -> SalvageReport {
        let defects = Defects()
        let archive = try await location.open()
        for note in archive.notes { observer.noticed(note) }
        let reader = TolerantReader(archive, defects)
        let rewriter = ArchiveRewriter(
            options: Conversion.Options(
                width: options.width, temporaryFolder: options.temporaryFolder),
            environment: environment, observer: observer, defects: defects)
        let (summary, place) = try await destination.withArchive(
            id, Compression.standard.codec, observer
        ) { upload in
            try await rewriter.write(reader, as: id, into: upload)
        }
        let damaged = defects.damagedNamespaces.map { namespace in
            SalvageReport.Loss(
                namespace: namespace, chunkCount: 0, documentCount: nil,
                remark: "its checksum does not match: some documents are not as they were")
        }
        let cut = defects.cutNamespaces.map { namespace in
            SalvageReport.Loss(
                namespace: namespace, chunkCount: 0, documentCount: nil,
                remark: "its end is missing, and with it the checksum of what was found")
        }
        return SalvageReport(
            manifest: summary.index.manifest, place: place,
            storedByteCount: summary.storedByteCount, seal: summary.seal, seconds: 0,
            chunkCount: reader.chunkCount, losses: damaged + cut, hasCatalog: true,
            ending: defects.ending.map { "reading ended there: \($0)" })
    }
}

/// Takes the first defect for the end of the archive. Used by one task.
private final class TolerantReader: ArchiveReader {
    private let base: any ArchiveReader
    private let defects: Defects
    private(set) var chunkCount = 0

    init(_ base: any ArchiveReader, _ defects: Defects) {
        self.base = base
        self.defects = defects
    }

    var prelude: ArchivePrelude { base.prelude }
    var manifest: Manifest? { nil }
    var storedByteCount: UInt64? { base.storedByteCount }

    func next() async throws -> PendingChunk? {
        guard defects.ending == nil else { return nil }
        do {
            let chunk = try await base.next()
            // A chunk that can't be used is where reading ends, too.
            _ = try chunk?.decoded()
            if chunk != nil { chunkCount += 1 }
            return chunk
        } catch let error as ArchiveError {
            defects.ending = error
            return nil
        }
    }
}
