internal import ArchiveFormat
internal import ArgumentParser
internal import BSONBytes
internal import ExtendedJSON
internal import Glibc
internal import ObjectStorage
internal import SnapshotJSON
internal import Snapshots

/// Options that a file gives, as `cairn tune --write-config` writes it: a JSON object whose keys
/// are the long options with underscores. What the command line says counts more.
struct Configuration: Equatable, Sendable {
    var codec: CodecName?
    var level: Int?
    var chunkSize: ByteSize?
    var jobs: Int?
    var readers: Int?
    var readOrder: Backup.ReadOrder?
    var writers: Int?
    var batchDocuments: Int?
    var maxRate: Rate?

    /// The most bytes that such a file has.
    static let byteCountMax: UInt64 = 64 * 1024

    /// Nothing said.
    init() {}

    /// Reads a file's text.
    ///
    /// - Parameter name: what messages call the file.
    /// - Throws: `Failure` with `usage` that names file and key: for text that is no JSON object,
    ///   keys that there are not or that are there twice, and values that the option would refuse.
    init(_ text: [UInt8], name: String) throws {
        let elements: [BSONElement]
        do {
            elements = try ExtendedJSONParser.document(utf8: text).elements()
        } catch {
            throw Failure.usage("\(name) is no configuration file: \(error)")
        }
        var seen: Set<String> = []
        for element in elements {
            guard seen.insert(element.name).inserted else {
                throw Failure.usage("\(name): \"\(element.name)\" is there twice")
            }
            guard let accepts = Self.keys[element.name].map({ $0(&self, element.value) })
            else {
                let known = Self.keys.keys.sorted().joined(separator: ", ")
                throw Failure.usage(
                    "\(name): there is no key \"\(element.name)\"; there are \(known)")
            }
            guard accepts else {
                throw Failure.usage("\(name): \"\(element.name)\" has a value that is not allowed")
            }
        }
        let codec = (codec ?? .gzip).codec
        if let level, !codec.levels.contains(level) {
            throw Failure.usage("\(name): \"level\" has a value that \(codec.name) has not")
        }
    }

    /// What each key sets; false for a value that it does not take.
    private static let keys: [String: @Sendable (inout Self, BSONValue) -> Bool] = [
        "codec": { set(&$0.codec, $1.string.flatMap(CodecName.init(rawValue:))) },
        "level": { set(&$0.level, number($1, 1...19)) },
        "chunk_size": { set(&$0.chunkSize, size($1)) },
        "jobs": { set(&$0.jobs, number($1, 1...64)) },
        "readers": { set(&$0.readers, number($1, 1...64)) },
        "read_order": { set(&$0.readOrder, $1.string.flatMap(Backup.ReadOrder.init(rawValue:))) },
        "writers": { set(&$0.writers, number($1, 1...64)) },
        "batch_documents": { set(&$0.batchDocuments, number($1, 1...100_000)) },
        "max_rate": { set(&$0.maxRate, $1.string.flatMap(Rate.init(argument:))) },
    ]

    private static func set<Value>(_ place: inout Value?, _ value: Value?) -> Bool {
        place = value
        return value != nil
    }

    private static func number(_ value: BSONValue, _ allowed: ClosedRange<Int>) -> Int? {
        guard [.int32, .int64].contains(value.type) else { return nil }
        return value.wholeNumber.flatMap { allowed.contains($0) ? $0 : nil }
    }

    private static func size(_ value: BSONValue) -> ByteSize? {
        let allowed = ArchiveLimits.chunkTargetByteCountMin...ArchiveLimits.chunkTargetByteCountMax
        guard let size = value.string.flatMap(ByteSize.init(argument:)),
            allowed.contains(size.byteCount)
        else { return nil }
        return size
    }

    /// What a backup compresses with. A level belongs to the codec that it was chosen for, so the
    /// file's counts for the file's codec only.
    ///
    /// - Throws: `ArchiveError` with `invalidOption` for a level that the codec has not.
    func compression(codec named: CodecName?, level: Int?) throws -> Compression {
        let own = codec ?? .gzip
        let chosen = named ?? own
        return try Compression(
            chosen.codec, level: level ?? (chosen == own ? self.level : nil))
    }
}

/// Which file options come from.
struct ConfigurationOptions: ParsableArguments, Sendable {
    /// A file's path.
    @Option(
        help: ArgumentHelp(
            "A file with options, as \"cairn tune --write-config\" writes it; else CAIRN_CONFIG, "
                + "else none. Options that are given count more.",
            valueName: "file"))
    var config: String?

    /// Reads the file; nothing is said when none is named.
    ///
    /// - Throws: `Failure` with `usage` when it can't be read or has what is not allowed.
    func load() async throws -> Configuration {
        guard let named = config ?? ProcessEnvironment["CAIRN_CONFIG"] else {
            return Configuration()
        }
        let path = RepositoryOptions.absolutePath(named)
        do {
            return try await ConfigurationFile(path: path).read()
        } catch let error as ObjectStorageError {
            throw Failure.usage(
                "\(error); check \(config == nil ? "CAIRN_CONFIG" : "--config")")
        }
    }
}

/// Where a configuration is kept.
struct ConfigurationFile: Sendable {
    /// Absolute.
    let path: String

    /// Reads it.
    ///
    /// - Throws: `ObjectStorageError`; `Failure` with `usage`.
    func read() async throws -> Configuration {
        let (store, key) = try await FileSystemStore.splitting(path)
        let reader = try await store.openReader(key: key)
        guard reader.byteCount <= Configuration.byteCountMax else {
            throw Failure.usage("\(path) is no configuration file: it is too long")
        }
        let text = try await reader.read(at: 0, count: Int(reader.byteCount))
        return try Configuration(text, name: path)
    }

    /// Refuses to take the place of a file that is something else.
    ///
    /// - Throws: `Failure` with `usage`; `ObjectStorageError` when the file can't be read.
    func checkMayReplace() async throws {
        do {
            _ = try await read()
        } catch let error as ObjectStorageError where error.code == .notFound {
            _ = try await FileSystemStore.splitting(path)
        } catch let error as Failure {
            throw Failure.usage("\(error.message); it is not overwritten without --force")
        }
    }

    /// Writes it: whole and synced, or not at all.
    ///
    /// - Throws: `ObjectStorageError`.
    func write(_ json: JSONValue) async throws {
        let (store, key) = try await FileSystemStore.splitting(path)
        let temporary = "\(key).\(getpid()).new"
        try await store.withUpload(key: temporary) { upload in
            try await upload.write(Array((json.text + "\n").utf8))
        }
        let folder = path.prefix(path.count - key.count)
        guard rename(folder + temporary, path) == 0 else {
            let number = errno
            try await store.delete(key: temporary)
            throw ObjectStorageError(
                .io, "cannot give its name to (\(String(cString: strerror(number))))", path: path)
        }
    }
}
