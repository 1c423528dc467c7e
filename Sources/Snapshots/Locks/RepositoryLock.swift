internal import ArchiveFormat
internal import BSONBytes
internal import ExtendedJSON
public import ObjectStorage

/// A lock in a repository: who has claimed what, and since when.
public struct RepositoryLock: Hashable, Sendable {
    /// Unique; `<owner>.<number>-<random>`.
    public let name: String
    public let claim: LockClaim
    /// The process.
    public let owner: OwnerToken
    /// Its id on its host.
    public var processID: Int32 { owner.processID }
    /// Its host as people call it.
    public let hostName: String
    /// When it was first asked for, in milliseconds since 1970 UTC.
    public let since: Int64
    /// When its owner last gave a sign of life, in seconds since 1970 UTC, by the repository's
    /// file system.
    public var heartbeatSeconds: Int64
    /// Whether its owner has it; it asks for it otherwise.
    public var isHeld: Bool

    /// The files that locks are.
    static let mark = MarkKind(suffix: ".lock", isDurable: false)
    /// The second line of the file of one that is held.
    static let heldLine = Array("held\n".utf8)

    /// A lock that is asked for.
    init(
        _ claim: LockClaim, name: String, owner: OwnerToken, hostName: String, since: Int64
    ) {
        self.claim = claim
        self.name = name
        self.owner = owner
        self.hostName = hostName
        self.since = since
        heartbeatSeconds = since / 1000
        isHeld = false
    }

    /// Of two that ask at once, which one gets it.
    func precedes(_ other: RepositoryLock) -> Bool {
        (since, name) < (other.since, other.name)
    }

    /// Who it is, for messages.
    public var sentence: String {
        let date = CalendarDate(milliseconds: since)
        return "a \(claim.operation.rawValue) by process \(owner.processID) on \(hostName), since "
            + "\(date),"
    }

    // MARK: The file, formats/repository.md, section 4

    /// The first line.
    var text: [UInt8] {
        get throws {
            let document = BSONDocument {
                $0.append("version", Int32(1))
                $0.append("operation", claim.operation.rawValue)
                $0.append("host", hostName)
                $0.append("pid", owner.processID)
                $0.append("since", dateMilliseconds: since)
                if let namespaces = claim.namespaces {
                    $0.append("namespaces", namespaces.document)
                }
                $0.append("uses", array: claim.uses.map(\.description).sorted())
                $0.append("removes", array: claim.removes.map(\.description).sorted())
                $0.append("is_administration", claim.isAdministration)
            }
            return Array(
                (try ExtendedJSONWriter(mode: .relaxed).text(of: document) + "\n").utf8)
        }
    }

    /// The process that a lock's name tells of; nil for a name that is not a lock's.
    static func owner(ofName name: String) -> OwnerToken? {
        name.split(separator: ".").first.flatMap { OwnerToken(parsing: String($0)) }
    }

    /// Reads the file.
    ///
    /// - Throws: `ExtendedJSONError`, `BSONError`, `SnapshotError` for what is none.
    init(name: String, owner: OwnerToken, text: [UInt8], heartbeatSeconds: Int64) throws {
        let lines = text.split(separator: UInt8(ascii: "\n"))
        let document = try ExtendedJSONParser.document(utf8: Array(lines.first ?? []))
        guard try document.require("version", \.wholeNumber) == 1 else {
            throw SnapshotError(.locked, "a lock of an unknown version")
        }
        var claim = LockClaim(
            LockClaim.Operation(rawValue: try document.require("operation", \.string)))
        claim.namespaces = try document.first("namespaces")?.document
            .map(LockClaim.Namespaces.init)
        claim.uses = try document.identifiers("uses")
        claim.removes = try document.identifiers("removes")
        claim.isAdministration = try document.require("is_administration", \.bool)
        self.name = name
        self.claim = claim
        self.owner = owner
        hostName = try document.require("host", \.string)
        since = try document.require("since", \.dateMilliseconds)
        guard ArchiveLimits.dates.contains(since) else {
            throw SnapshotError(.locked, "a lock of an impossible date")
        }
        self.heartbeatSeconds = heartbeatSeconds
        isHeld = lines.dropFirst().first.map { Array($0) + [UInt8(ascii: "\n")] } == Self.heldLine
    }
}

extension LockClaim.Namespaces {
    fileprivate var document: BSONDocument {
        BSONDocument {
            if let name = deployment.replicaSet { $0.append("replica_set", name) }
            $0.append("hosts", array: deployment.hosts)
            $0.append(
                "selections",
                array: selections.map { selection in
                    BSONDocument {
                        if let database = selection.database { $0.append("db", database) }
                        $0.append("ns_include", array: selection.included.map(\.text))
                        $0.append("ns_exclude", array: selection.excluded.map(\.text))
                    }
                })
        }
    }

    fileprivate init(_ document: BSONDocument) throws {
        let selections = try document.first("selections")?.array()?.compactMap(\.document) ?? []
        self.init(
            Deployment(
                replicaSet: try document.first("replica_set")?.string,
                hosts: try document.texts("hosts")),
            try selections.map(Self.selection))
    }

    /// One that is beyond the limits, as an older Cairn may have written it, is read as everything.
    private static func selection(_ document: BSONDocument) throws -> NamespaceFilter {
        let database = try document.first("db")?.string
        let texts = (try document.texts("ns_include"), try document.texts("ns_exclude"))
        do {
            let filter = NamespaceFilter(
                database: database, included: try texts.0.map { try NamespacePattern($0) },
                excluded: try texts.1.map { try NamespacePattern($0) })
            try SelectionLimits.check(filter)
            return filter
        } catch let error as SnapshotError where error.code == .usage {
            return NamespaceFilter()
        }
    }
}

extension BSONDocument {
    fileprivate func texts(_ name: String) throws -> [String] {
        try first(name)?.array()?.compactMap(\.string) ?? []
    }

    fileprivate func identifiers(_ name: String) throws -> Set<SnapshotID> {
        Set(try texts(name).compactMap { SnapshotID($0) })
    }
}
