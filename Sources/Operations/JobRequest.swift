internal import Foundation
internal import Snapshots

/// What a job is asked to do: kept with the job, so that another can do the same or resume it.
public enum JobRequest: Sendable, Hashable {
    case backup(BackupRequest)
    case restore(RestoreRequest)
    case verify(VerifyRequest)
    case diff(DiffRequest)
    case cleanup(CleanupRequest)
    case scheduledBackup(ScheduledBackupRequest)

    /// The word for it in records, answers and metrics. A preview writes nothing, so it has a word
    /// of its own.
    public var kind: String {
        switch self {
        case .backup: "backup"
        case .restore(let request): request.mode == .preview ? "preview" : "restore"
        case .verify: "verify"
        case .diff: "diff"
        case .cleanup: "cleanup"
        case .scheduledBackup: "scheduled_backup"
        }
    }

    /// All kinds there are.
    public static let kinds = [
        "backup", "restore", "preview", "verify", "diff", "cleanup", "scheduled_backup",
    ]

    /// Whether a job that was cut off can be resumed.
    public var isResumable: Bool {
        switch self {
        case .backup, .scheduledBackup: true
        case .restore(let request): request.mode != .preview
        case .verify, .diff, .cleanup: false
        }
    }

    /// Whether it only reads, so that it need not wait for backups and restores.
    var isShort: Bool {
        switch self {
        case .backup, .scheduledBackup: false
        case .restore(let request): request.mode == .preview
        case .verify, .diff, .cleanup: true
        }
    }

    /// Whether it is done for its result alone, so that without it nothing was done.
    var isItsResult: Bool { kind == "preview" || kind == "diff" }

    /// The snapshot that it reads; nil when it makes one, or is about many.
    public var snapshotID: String? {
        switch self {
        case .backup, .scheduledBackup, .cleanup: nil
        case .restore(let request): request.snapshot
        case .verify(let request): request.snapshot
        case .diff(let request): request.snapshot
        }
    }

    /// All snapshots that it reads, which must not be removed before it has ended.
    var readSnapshots: Set<SnapshotID> {
        let names =
            switch self {
            case .backup, .scheduledBackup, .cleanup: [String]()
            case .restore(let request): [request.snapshot]
            case .verify(let request): [request.snapshot]
            case .diff(let request): [request.snapshot, request.other]
            }
        return Set(names.compactMap { SnapshotID($0) })
    }
}

/// What a backup shall take, and how.
public struct BackupRequest: Codable, Sendable, Hashable {
    /// The kind in the snapshot's identifier; nil for "manual".
    public var backupType: String?
    /// Only these databases; nil for all.
    public var databases: [String]?
    /// Patterns of the namespaces that are meant; nil for all.
    public var nsInclude: [String]?
    /// Patterns of those that are not.
    public var nsExclude: [String]?
    /// gzip, zstd or lz4; nil for gzip.
    public var codec: String?
    /// The codec's level; nil for its default.
    public var level: Int?
    /// How all collections come to be of one instant; nil for "auto".
    public var consistency: String?
    /// What is written into the snapshot for those who read its list.
    public var description: String?

    public init() {}
}

/// What a restore shall put back, and how.
public struct RestoreRequest: Codable, Sendable, Hashable {
    /// What becomes of live data.
    public enum Mode: String, Codable, Sendable {
        case preview, merge, replace
    }

    /// A namespace that comes back under another name.
    public struct Rename: Codable, Sendable, Hashable {
        /// A pattern, such as `shop.*`.
        public var from: String
        /// The new name, with as many asterisks.
        public var to: String
    }

    /// The snapshot.
    public var snapshot: String
    public var mode: Mode
    public var nsInclude: [String]?
    public var nsExclude: [String]?
    public var rename: [Rename]?
    /// "overwrite" or "keep"; of a merge.
    public var onConflict: String?
    /// Of a replace: whether only the difference is written.
    public var inPlace: Bool?
    /// Of a replace: whether what it replaces is backed up first; nil for yes.
    public var preRestoreBackup: Bool?
    /// Whether no index is built but the one on `_id`; nil for no.
    public var noIndexes: Bool?
    /// Whether what servers before 3.4 allowed in indexes is converted; nil for no.
    public var convertLegacyIndexes: Bool?
    /// Of a preview: how many documents of each kind are told; nil for five.
    public var samples: Int?

    public init(snapshot: String, mode: Mode) {
        self.snapshot = snapshot
        self.mode = mode
    }
}

/// Which snapshot is to be checked.
public struct VerifyRequest: Codable, Sendable, Hashable {
    public var snapshot: String

    public init(snapshot: String) {
        self.snapshot = snapshot
    }
}

/// Which snapshots are to be compared.
public struct DiffRequest: Codable, Sendable, Hashable {
    public var snapshot: String
    /// The other one.
    public var other: String
    /// How many documents of each kind are told; nil for five.
    public var samples: Int?

    public init(snapshot: String, other: String) {
        self.snapshot = snapshot
        self.other = other
    }
}

/// Which snapshots are kept; what is nil is as the service was started with.
public struct CleanupRequest: Codable, Sendable, Hashable {
    public var dryRun: Bool?
    public var keepDays: Int?
    public var maxCount: Int?
    public var keepLast: Int?
    public var keepDaily: Int?
    public var keepWeekly: Int?
    public var keepMonthly: Int?

    public init() {}
}

/// What the schedule does each time: a backup, then a verification if asked for, then retention.
public struct ScheduledBackupRequest: Codable, Sendable, Hashable {
    public var backup: BackupRequest
    public var retention: CleanupRequest
    public var verifies: Bool

    public init(backup: BackupRequest, retention: CleanupRequest, verifies: Bool) {
        self.backup = backup
        self.retention = retention
        self.verifies = verifies
    }
}

extension JobRequest: Codable {
    private enum Key: String, CodingKey {
        case kind, request
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        switch try container.decode(String.self, forKey: .kind) {
        case "backup": self = .backup(try container.decode(BackupRequest.self, forKey: .request))
        case "restore", "preview":
            self = .restore(try container.decode(RestoreRequest.self, forKey: .request))
        case "verify": self = .verify(try container.decode(VerifyRequest.self, forKey: .request))
        case "diff": self = .diff(try container.decode(DiffRequest.self, forKey: .request))
        case "cleanup":
            self = .cleanup(try container.decode(CleanupRequest.self, forKey: .request))
        case "scheduled_backup":
            self = .scheduledBackup(
                try container.decode(ScheduledBackupRequest.self, forKey: .request))
        case let kind:
            throw DecodingError.dataCorruptedError(
                forKey: .kind, in: container, debugDescription: "there are no \(kind) jobs")
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(kind, forKey: .kind)
        switch self {
        case .backup(let request): try container.encode(request, forKey: .request)
        case .restore(let request): try container.encode(request, forKey: .request)
        case .verify(let request): try container.encode(request, forKey: .request)
        case .diff(let request): try container.encode(request, forKey: .request)
        case .cleanup(let request): try container.encode(request, forKey: .request)
        case .scheduledBackup(let request): try container.encode(request, forKey: .request)
        }
    }

    /// The request as a record keeps it.
    public var text: String {
        get throws { try JSONText.encode(self) }
    }

    /// Reads what a record keeps.
    ///
    /// - Throws: `DecodingError`.
    public init(text: String) throws {
        self = try JSONText.decode(JobRequest.self, text)
    }
}

/// JSON in snake_case with sorted keys, as records keep it.
public enum JSONText {
    /// - Throws: `EncodingError`.
    public static func encode(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    /// - Throws: `DecodingError`.
    public static func decode<Value: Decodable>(
        _ type: Value.Type, _ text: String
    ) throws -> Value {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(type, from: Data(text.utf8))
    }
}
