/// How an archive's chunks are compressed.
public struct Compression: Hashable, Sendable {
    public let codec: Codec
    /// The codec's own level: gzip 1–12, zstd 1–19, lz4 1–12.
    public let level: Int

    /// - Throws: `invalidOption` when the codec has no such level.
    public init(_ codec: Codec, level: Int? = nil) throws(ArchiveError) {
        let level = level ?? codec.defaultLevel
        guard codec.levels.contains(level) else {
            throw ArchiveError(
                .invalidOption,
                "\(codec.name) has no level \(level); it has \(codec.levels.lowerBound) to "
                    + "\(codec.levels.upperBound)")
        }
        self.codec = codec
        self.level = level
    }

    private init(unchecked codec: Codec) {
        self.codec = codec
        level = codec.defaultLevel
    }

    /// gzip at level 2: ten times as fast as zlib's level 6 at nearly its ratio, and any tool reads
    /// it.
    public static let standard = Compression(unchecked: .gzip)
}

/// The codecs that an archive can be written with. The raw value is the byte in every chunk header.
public enum Codec: UInt8, Sendable, CaseIterable {
    case gzip = 1
    case zstd = 2
    case lz4 = 3

    /// The name on the command line, in the manifest and in logs.
    public var name: String {
        switch self {
        case .gzip: "gzip"
        case .zstd: "zstd"
        case .lz4: "lz4"
        }
    }

    public init?(name: String) {
        guard let codec = Codec.allCases.first(where: { $0.name == name }) else { return nil }
        self = codec
    }

    /// The levels that the codec has.
    public var levels: ClosedRange<Int> {
        switch self {
        case .gzip, .lz4: 1...12
        case .zstd: 1...19
        }
    }

    public var defaultLevel: Int {
        switch self {
        case .gzip: 2
        case .zstd: 3
        case .lz4: 1
        }
    }

    /// What a file of this codec is called after its last dot.
    public var fileExtension: String {
        switch self {
        case .gzip: "gz"
        case .zstd: "zst"
        case .lz4: "lz4"
        }
    }

    var coder: any BlockCoder {
        switch self {
        case .gzip: GzipCoder()
        case .zstd: ZstdCoder()
        case .lz4: LZ4Coder()
        }
    }
}

/// Compresses one block in memory: a pure function, callable from any number of tasks at once.
///
/// Order, parallelism and framing are someone else's business.
protocol BlockCoder: Sendable {
    /// Appends the compressed form of `raw` to `stored`. Incompressible data never fails.
    ///
    /// - Throws: `codecFailed` when the library refuses.
    func encode(
        _ raw: UnsafeRawBufferPointer, level: Int, into stored: inout [UInt8]
    ) throws(ArchiveError)

    /// The raw bytes of `stored`, which must be exactly `rawByteCount` of them and use up all of
    /// `stored`.
    ///
    /// - Parameter rawByteCount: already compared with `ArchiveLimits.chunkRawByteCountMax`.
    /// - Throws: `codecFailed` when the bytes do not decode or decode to another length.
    func decode(
        _ stored: UnsafeRawBufferPointer, rawByteCount: Int
    ) throws(ArchiveError) -> [UInt8]
}

/// Grows `stored` by up to `capacity` bytes that `fill` writes; `fill` answers how many, or nil for
/// failure.
func appendBytes(
    to stored: inout [UInt8], capacity: Int, _ fill: (UnsafeMutableRawBufferPointer) -> Int?
) -> Bool {
    let head = stored
    var failed = false
    let roomy = BufferSize.rounded(head.count + capacity)
    stored = [UInt8](unsafeUninitializedCapacity: roomy) { buffer, count in
        let bytes = UnsafeMutableRawBufferPointer(buffer)
        bytes.copyBytes(from: head)
        let room = bytes[head.count..<head.count + capacity]
        let filled = fill(UnsafeMutableRawBufferPointer(rebasing: room))
        failed = filled == nil
        count = head.count + (filled ?? 0)
    }
    return !failed
}

/// Makes an array of exactly `byteCount` bytes that `fill` writes; nil when `fill` says that it
/// failed.
func makeBytes(
    _ byteCount: Int, _ fill: (UnsafeMutableRawBufferPointer) -> Bool
) -> [UInt8]? {
    var succeeded = false
    let bytes = [UInt8](unsafeUninitializedCapacity: BufferSize.rounded(byteCount)) {
        buffer, count in
        succeeded = fill(
            UnsafeMutableRawBufferPointer(
                rebasing: UnsafeMutableRawBufferPointer(buffer)[..<byteCount]))
        count = succeeded ? byteCount : 0
    }
    return succeeded ? bytes : nil
}

/// How large the memory for a chunk is.
enum BufferSize {
    private static let step = 1024 * 1024

    /// Whole MiB from one MiB on. Chunks are nearly, but not quite, of one size; were their buffers
    /// so too, a heap would hardly ever find one that was freed to fit, and grow.
    static func rounded(_ byteCount: Int) -> Int {
        byteCount < step ? byteCount : (byteCount + step - 1) / step * step
    }
}
