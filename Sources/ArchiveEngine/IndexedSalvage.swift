internal import ArchiveFormat

/// Finds the chunks of a damaged archive whose index is whole. The index alone says which there
/// are: each is one whose SHA-256 it knows, at its place or, where bytes before it were inserted,
/// removed or exchanged, at any other. What else looks like a chunk is another archive's.
struct IndexedSalvage {
    private struct Place: Sendable {
        var sequence: UInt32
        var row: IndexRow
        var offset: UInt64
    }

    private let index: ArchiveIndex
    private let source: any ByteSource
    private var found: [UInt32: ArchiveSalvager.WholeChunk] = [:]

    init(_ index: ArchiveIndex, in source: any ByteSource) {
        self.index = index
        self.source = source
    }

    /// Reads each chunk.
    ///
    /// - Throws: what the source throws.
    mutating func run(
        width: Int, progress: (_ storedByteCount: Int, _ documents: DocumentTotals) -> Void
    ) async throws -> ArchiveSalvager.Findings {
        var places = index.rows.enumerated().map {
            Place(sequence: UInt32($0), row: $1, offset: $1.offset)
        }
        try await examine(places, width: width, progress)
        if found.count < index.rows.count {
            let map = try await FrameMap(source, in: unexplained)
            places = map.frames.compactMap { frame in
                let sequence = frame.header.sequence
                guard Int(sequence) < index.rows.count, found[sequence] == nil,
                    index.rows[Int(sequence)].matches(frame.header)
                else { return nil }
                let row = index.rows[Int(sequence)]
                return Place(sequence: sequence, row: row, offset: frame.offset)
            }
            try await examine(places, width: width, progress)
        }
        var findings = ArchiveSalvager.Findings()
        findings.index = index
        for (position, row) in index.rows.enumerated() {
            let sequence = UInt32(position)
            guard let chunk = found[sequence] else {
                findings.lost.append(
                    ArchiveSalvager.LostChunk(sequence: sequence, header: nil, row: row))
                continue
            }
            if chunk.header.kind.holdsDocuments { findings.whole.append(chunk) }
        }
        return findings
    }

    /// Where no chunk was found.
    private var unexplained: [Range<UInt64>] {
        var ranges: [Range<UInt64>] = []
        var place: UInt64 = 0
        for chunk in found.values.sorted(by: { $0.offset < $1.offset }) {
            if chunk.offset > place { ranges.append(place..<chunk.offset) }
            place = max(place, chunk.offset + chunk.header.storedByteCount)
        }
        if place < source.byteCount { ranges.append(place..<source.byteCount) }
        return ranges
    }

    private mutating func examine(
        _ places: [Place], width: Int,
        _ progress: (_ storedByteCount: Int, _ documents: DocumentTotals) -> Void
    ) async throws {
        var rest = places[...]
        let (source, codec) = (source, index.manifest.compression.codec)
        var chunks: [ArchiveSalvager.WholeChunk] = []
        try await withOrderedWindow(
            width: width, next: { rest.popFirst() },
            transform: { (place: Place) async throws -> ArchiveSalvager.WholeChunk? in
                try await Self.chunk(place, codec, in: source)
            },
            deliver: { chunk in
                guard let chunk else { return }
                chunks.append(chunk)
                let totals = chunk.blocks.reduce(into: DocumentTotals()) { $0.append($1.totals) }
                progress(Int(chunk.header.storedByteCount), totals)
            })
        for chunk in chunks where found[chunk.header.sequence] == nil {
            found[chunk.header.sequence] = chunk
        }
    }

    /// The chunk of a row, where it is at that place.
    private static func chunk(
        _ place: Place, _ codec: Codec, in source: any ByteSource
    ) async throws -> ArchiveSalvager.WholeChunk? {
        let row = place.row
        guard place.offset <= source.byteCount,
            row.storedByteCount <= source.byteCount - place.offset
        else { return nil }
        var stored = try await source.read(at: place.offset, count: Int(row.storedByteCount))
        do throws(ArchiveError) {
            let header = try Frame.restoreHead(of: &stored, codec: codec)
            guard header.sequence == place.sequence, row.matches(header),
                SHA256Digest(of: stored) == row.sha256
            else { return nil }
            let chunk = try DecodedChunk(stored: stored, header: header)
            return ArchiveSalvager.WholeChunk(
                offset: place.offset, header: header, blocks: chunk.blocks)
        } catch {
            return nil
        }
    }
}
