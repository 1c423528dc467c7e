internal import ArchiveFormat

/// Opens archives of every kind, told apart by their bytes and never by their name.
public enum ArchiveOpener {
    /// Opens an archive that can be read at any place.
    ///
    /// - Throws: `ArchiveError`: `notAnArchive`, or what is damaged.
    public static func open(_ source: any ByteSource) async throws -> OpenedArchive {
        let headByteCount = Int(min(source.byteCount, UInt64(ArchiveSniffer.headByteCount)))
        let head = try await source.read(at: 0, count: headByteCount)
        switch try ArchiveSniffer.format(ofHead: head) {
        case .cairn:
            return .indexed(try await IndexedArchiveReader(source))
        case .mongodump, .gzip:
            return try await open(
                BufferedStream(SourceStream(source)), storedByteCount: source.byteCount)
        }
    }

    /// Opens an archive that comes through a pipe.
    ///
    /// - Throws: `ArchiveError`: `notAnArchive`, or what is damaged.
    public static func open(_ stream: any ByteStream) async throws -> OpenedArchive {
        try await open(BufferedStream(stream), storedByteCount: nil)
    }

    private static func open(
        _ stream: BufferedStream, storedByteCount: UInt64?
    ) async throws -> OpenedArchive {
        let head = Array(try await stream.peek(ArchiveSniffer.headByteCount))
        switch try ArchiveSniffer.format(ofHead: head) {
        case .cairn:
            return .streamed(try await StreamedArchiveReader(stream))
        case .mongodump:
            return .foreign(
                try await MongodumpArchiveReader(
                    stream, isCompressed: false, storedByteCount: storedByteCount))
        case .gzip:
            return .foreign(
                try await MongodumpArchiveReader(
                    stream, isCompressed: true, storedByteCount: storedByteCount))
        }
    }
}
