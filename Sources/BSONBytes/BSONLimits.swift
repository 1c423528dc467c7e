/// The bounds that every length read from bytes is compared with before it is used.
public enum BSONLimits {
    /// Bytes of the empty document: its length and its terminator.
    public static let documentByteCountMin = 5
    /// Bytes of the largest document that a server stores and mongorestore's parser accepts:
    /// exactly 16 MiB.
    public static let documentByteCountMax = 16 * 1024 * 1024
    /// Bytes of the largest document that a server sends in a reply: 16 MiB plus 16 KiB of
    /// wrapping.
    public static let replyByteCountMax = documentByteCountMax + 16 * 1024
    /// Documents within documents; the server's own limit is 180.
    public static let nestingDepthMax = 200
}
