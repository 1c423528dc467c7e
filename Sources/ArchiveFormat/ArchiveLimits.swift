/// The bounds of the format (`formats/archive.md`, section 2). Every length, count and offset read
/// from a file is compared with one of these before it is used or allocated.
public enum ArchiveLimits {
    /// The smallest raw size that chunks may be cut at, in bytes.
    public static let chunkTargetByteCountMin = 256 * 1024
    /// The largest raw size that chunks may be cut at, in bytes.
    public static let chunkTargetByteCountMax = 16 * 1024 * 1024
    /// The raw size that chunks are cut at unless asked otherwise, in bytes.
    public static let chunkTargetByteCountDefault = 4 * 1024 * 1024
    /// The most bytes that one chunk decodes to: a full chunk plus one document of the largest
    /// size, and room.
    public static let chunkRawByteCountMax = 64 * 1024 * 1024
    /// The most bytes that one chunk takes in the file, its header included.
    public static let chunkStoredByteCountMax = 65 * 1024 * 1024
    /// The most bytes of one slice of the index: what a gzip FEXTRA field holds beside the chunk
    /// header.
    public static let indexSliceByteCountMax = 65_535 - 4 - ChunkHeader.byteCount
    /// The most bytes that the manifest has.
    public static let manifestByteCountMax = 1 << 30
    /// Most UTF-8 bytes of a snapshot's description.
    public static let descriptionByteCountMax = 1024
    /// When a backup may have begun and ended, in milliseconds since 1970 UTC: the years 0 to 9999.
    public static let dates: ClosedRange<Int64> = -62_167_219_200_000...253_402_300_799_999
    /// The most chunks that an archive has.
    public static let chunkCountMax = 1 << 28
    /// The most namespaces that an archive has.
    public static let namespaceCountMax = 1 << 24
    /// The most bytes that the stored index has.
    public static let indexByteCountMax = 1 << 36
    /// How many namespaces may be open at once, as the prelude states it
    /// (`concurrent_collections`).
    public static let concurrentCollections = 4
}
