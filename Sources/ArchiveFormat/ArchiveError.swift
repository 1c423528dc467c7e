/// What is wrong with an archive, and where in it. A reader adds the file's name.
public struct ArchiveError: Error, Hashable, Sendable, CustomStringConvertible {
    /// A stable name for one kind of defect; new ones may be added.
    public struct Code: RawRepresentable, Hashable, Sendable {
        public let rawValue: String

        public init(rawValue: String) {
            self.rawValue = rawValue
        }

        /// The bytes end before the archive does.
        public static let truncated = Code(rawValue: "truncated")
        /// The bytes are no archive of any kind that this reader knows.
        public static let notAnArchive = Code(rawValue: "not_an_archive")
        /// A version of the format that this reader does not know.
        public static let unsupportedVersion = Code(rawValue: "unsupported_version")
        /// A length, count or offset lies outside `ArchiveLimits`.
        public static let lengthOutOfBounds = Code(rawValue: "length_out_of_bounds")
        /// A checksum, hash, count or fingerprint does not match what it covers.
        public static let checksumMismatch = Code(rawValue: "checksum_mismatch")
        /// The compressed bytes do not decode, or not to what their header says.
        public static let codecFailed = Code(rawValue: "codec_failed")
        /// Blocks, documents or frames do not follow the grammar.
        public static let malformed = Code(rawValue: "malformed")
        /// A codec level or chunk size that the format does not allow was asked for.
        public static let invalidOption = Code(rawValue: "invalid_option")
    }

    public let code: Code
    /// What failed; lowercase, no period, never document contents.
    public let message: String
    /// The chunk's sequence number, where one is known.
    public var chunk: UInt32?
    /// The namespace, where one is known.
    public var namespace: String?
    /// Byte offset in the stored file, where one is known.
    public var offset: UInt64?

    public init(
        _ code: Code, _ message: String, chunk: UInt32? = nil, namespace: String? = nil,
        offset: UInt64? = nil
    ) {
        self.code = code
        self.message = message
        self.chunk = chunk
        self.namespace = namespace
        self.offset = offset
    }

    public var description: String {
        let places = [
            chunk.map { "chunk \($0)" }, namespace.map { "namespace \($0)" },
            offset.map { "file offset \($0)" },
        ].compactMap(\.self)
        return places.isEmpty ? message : "\(message) (\(places.joined(separator: ", ")))"
    }

    /// The same error with places filled in that were not known deeper down.
    public func located(
        chunk: UInt32? = nil, namespace: String? = nil, offset: UInt64? = nil
    ) -> ArchiveError {
        ArchiveError(
            code, message, chunk: self.chunk ?? chunk, namespace: self.namespace ?? namespace,
            offset: self.offset ?? offset)
    }
}
