internal import ArchiveFormat
internal import Snapshots

/// A field of a request that says what can't be.
public struct RequestError: Error, Sendable, Hashable {
    /// The field's name, and its position in an array.
    public var field: String
    /// What is wrong with it.
    public var message: String
}

extension BackupRequest {
    /// What it means for a backup.
    ///
    /// - Throws: `RequestErrors`.
    func options(width: Int) throws -> Backup.Options {
        var problems = RequestProblems()
        var options = Backup.Options(width: width)
        options.filter = problems.filter(
            databases: databases, included: nsInclude, excluded: nsExclude)
        problems.checkSize(
            options.filter, fields: ["databases", "ns_include", "ns_exclude"],
            [databases ?? [], nsInclude ?? [], nsExclude ?? []])
        let name = codec ?? "gzip"
        let found = Codec.allCases.first { $0.name == name }
        if found == nil { problems.note("codec", "must be gzip, zstd or lz4") }
        options.compression =
            problems.value("level") {
                try Compression(found ?? .gzip, level: level)
            } ?? options.compression
        if let backupType {
            if SnapshotID.isKind(backupType) {
                options.kind = backupType
            } else {
                problems.note(
                    "backup_type", "is not 1 to 32 lowercase letters, digits and underscores")
            }
        }
        if let consistency {
            if let found = Backup.Consistency(rawValue: consistency) {
                options.consistency = found
            } else {
                problems.note("consistency", "must be auto, snapshot, oplog or none")
            }
        }
        options.description = description
        problems.value("description") { try options.checkDescription() }
        try problems.check()
        return options
    }
}

extension RestoreRequest {
    /// What it means for a restore; a preview's are those of a replace.
    ///
    /// - Throws: `RequestErrors`.
    func options(width: Int) throws -> Restore.Options {
        var problems = RequestProblems()
        var options = Restore.Options(mode: mode == .merge ? .merge : .replace, width: width)
        options.filter = problems.filter(
            databases: nil, included: nsInclude, excluded: nsExclude)
        options.renames = (rename ?? []).enumerated().compactMap { position, rename in
            problems.value("rename/\(position)") {
                try NamespaceRename(from: rename.from, to: rename.to)
            }
        }
        problems.checkSize(
            options.filter, renames: options.renames,
            fields: ["ns_include", "ns_exclude", "rename"],
            [nsInclude ?? [], nsExclude ?? [], (rename ?? []).flatMap { [$0.from, $0.to] }])
        if let onConflict {
            if mode == .replace { problems.note("on_conflict", "is for the mode merge") }
            if let rule = Restore.ConflictRule(rawValue: onConflict) {
                options.conflictRule = rule
            } else {
                problems.note("on_conflict", "is neither overwrite nor keep")
            }
        }
        if inPlace == true {
            if mode != .replace { problems.note("in_place", "is for the mode replace") }
            options.isInPlace = mode == .replace
        }
        options.restoresIndexes = noIndexes != true
        options.convertsLegacyIndexes = convertLegacyIndexes == true
        if preRestoreBackup != nil, mode != .replace {
            problems.note("pre_restore_backup", "is for the mode replace")
        }
        if samples != nil, mode != .preview { problems.note("samples", "is for the mode preview") }
        try problems.check()
        return options
    }
}

extension CleanupRequest {
    /// What it means for retention; what it does not say is the standard's, and 0 switches a rule
    /// off.
    func policy(standard: RetentionPolicy) -> RetentionPolicy {
        func number(_ given: Int?, _ standard: Int?) -> Int? {
            given.map { $0 == 0 ? nil : $0 } ?? standard
        }
        var policy = standard
        policy.maxAgeDays = number(keepDays, policy.maxAgeDays)
        policy.maxCount = number(maxCount, policy.maxCount)
        policy.keepLast = number(keepLast, policy.keepLast)
        policy.keepDaily = number(keepDaily, policy.keepDaily)
        policy.keepWeekly = number(keepWeekly, policy.keepWeekly)
        policy.keepMonthly = number(keepMonthly, policy.keepMonthly)
        return policy
    }
}

extension JobRequest {
    /// Checks what only the layers below can judge, before a job is made of it.
    ///
    /// - Throws: `RequestErrors`.
    public func validate() throws {
        switch self {
        case .backup(let request): _ = try request.options(width: 1)
        case .scheduledBackup(let request): _ = try request.backup.options(width: 1)
        case .restore(let request): _ = try request.options(width: 1)
        case .verify, .diff, .cleanup: break
        }
    }
}

/// All that can't be of a request.
public struct RequestErrors: Error, Sendable, Hashable, CustomStringConvertible {
    public var errors: [RequestError]

    /// The first few of them as a sentence.
    public var description: String {
        errors.prefix(3).map { "\($0.field): \($0.message)" }.joined(separator: "; ")
    }
}

/// Notes what can't be, so that all of it is told at once.
struct RequestProblems {
    private var errors: [RequestError] = []

    /// Nobody reads more.
    private static let countMax = 100

    mutating func note(_ field: String, _ message: String) {
        guard errors.count < Self.countMax else { return }
        errors.append(RequestError(field: field, message: message))
    }

    /// What `body` gives, or nil when it throws, which is noted.
    mutating func value<Value>(_ field: String, _ body: () throws -> Value) -> Value? {
        do {
            return try body()
        } catch let error as RequestErrors {
            for inner in error.errors { note("\(field)/\(inner.field)", inner.message) }
            return nil
        } catch {
            note(field, "\(error)")
            return nil
        }
    }

    /// Namespaces by database and by pattern.
    mutating func filter(
        databases: [String]?, included: [String]?, excluded: [String]?
    ) -> NamespaceFilter {
        var filter = NamespaceFilter()
        if let databases, !databases.isEmpty, !(included ?? []).isEmpty {
            note("databases", "can't be combined with ns_include; write shop.* there")
        }
        for (position, database) in (databases ?? []).enumerated() {
            guard !database.isEmpty, !database.contains(where: { "/\\. \"$\0".contains($0) })
            else {
                note("databases/\(position)", "is no name of a database")
                continue
            }
            if let pattern = value(
                "databases/\(position)",
                { try NamespacePattern("\(database.replacing("*", with: "\\*")).*") })
            {
                filter.included.append(pattern)
            }
        }
        filter.included += patterns("ns_include", included)
        filter.excluded = patterns("ns_exclude", excluded)
        return filter
    }

    /// Checks a selection as a whole. What is beyond the limits is noted at the field that has the
    /// most of it.
    mutating func checkSize(
        _ filter: NamespaceFilter, renames: [NamespaceRename] = [], fields: [String],
        _ texts: [[String]]
    ) {
        let sizes = texts.map { $0.reduce($0.count) { $0 + $1.utf8.count } }
        guard let most = sizes.max(), let place = sizes.firstIndex(of: most) else { return }
        value(fields[place]) { try SelectionLimits.check(filter, renames: renames) }
    }

    private mutating func patterns(_ field: String, _ texts: [String]?) -> [NamespacePattern] {
        (texts ?? []).enumerated().compactMap { position, text in
            value("\(field)/\(position)") { try NamespacePattern(text) }
        }
    }

    /// - Throws: `RequestErrors` when anything was noted.
    func check() throws {
        guard errors.isEmpty else { throw RequestErrors(errors: errors) }
    }
}
