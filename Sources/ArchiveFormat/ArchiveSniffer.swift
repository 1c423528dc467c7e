/// Which format a file has, told by its first bytes and never by its name.
public enum ArchiveSniffer: Sendable, CaseIterable {
    /// Written by Cairn: chunks that describe themselves.
    case cairn
    /// Written by mongodump, not compressed.
    case mongodump
    /// A gzip stream that someone else wrote; whether it holds a mongodump archive shows once it is
    /// inflated.
    case gzip

    /// How many bytes are enough to tell.
    public static let headByteCount = Frame.headByteCountMax

    /// - Parameter head: the first `headByteCount` bytes, or all there are.
    /// - Throws: `notAnArchive`, `truncated` for an empty file, or the defect of a damaged first
    ///   chunk header.
    public static func format(ofHead head: [UInt8]) throws(ArchiveError) -> ArchiveSniffer {
        guard !head.isEmpty else {
            throw ArchiveError(.truncated, "the archive is empty", offset: 0)
        }
        if head.starts(with: MongodumpBlock.magic) { return .mongodump }
        if head.starts(with: Frame.skippableMagic) { return .cairn }
        if head.starts(with: [0x1F, 0x8B]) {
            return Frame.isGzipFrame(head[...]) ? .cairn : .gzip
        }
        throw ArchiveError(
            .notAnArchive,
            "the bytes are neither a Cairn archive nor a mongodump archive, plain or gzip",
            offset: 0)
    }
}
