internal import MongoDriver

/// How a restore reads the options and indexes that an archive states: as the server takes them.
struct DefinitionRules: Sendable, Hashable {
    /// The server's version; nil for any, where definitions are only compared.
    var serverVersion: ServerInfo.Version?
    /// Whether no index is built but the one on `_id`.
    var leavesOutIndexes = false
    /// Whether what old servers allowed in indexes becomes what it meant to them.
    var convertsLegacyIndexes = false

    /// Whether the server is asked to leave out options of indexes that it does not know.
    var letsServerIgnoreOptions: Bool {
        serverVersion.map { $0 >= ServerVersions.ignoringIndexOptions } ?? false
    }

    /// For comparing definitions: whatever any server has taken.
    static let comparing = DefinitionRules()
}

/// The kinds of indexes that a key names by strings.
enum IndexKinds {
    private static let known: Set<String> = [
        "2d", "2dsphere", "2dsphere_bucket", "columnstore", "hashed", "text", "wildcard",
    ]

    /// Whether a server of that version has it, or may.
    static func mayHave(_ kind: String, _ version: ServerInfo.Version) -> Bool {
        if ServerVersions.lastKnown < version || known.contains(kind) { return true }
        return kind == "geoHaystack" && version < ServerInfo.Version(5, 0)
    }
}

/// What servers of which version have.
enum ServerVersions {
    /// What later servers know is theirs to say.
    static let lastKnown = ServerInfo.Version(7, 0, .max)
    /// From here on servers can be asked to read over options of indexes that they don't know.
    static let ignoringIndexOptions = ServerInfo.Version(4, 2)
    /// From here on the size of a capped collection is kept as it is; before, servers round it up
    /// to whole multiples of 256 bytes.
    static let exactCappedSizes = ServerInfo.Version(6, 2)
}

/// The names that servers know among an index's options. Drivers passed on whatever they were given
/// (`w`, `safe`), and servers before 3.4 kept it.
enum IndexOptionName {
    /// Since which version; an option that was given up has a second one.
    private static let known: [String: (since: ServerInfo.Version?, until: ServerInfo.Version?)] = [
        "2dsphereIndexVersion": (nil, nil), "background": (nil, nil), "bits": (nil, nil),
        "bucketSize": (nil, ServerInfo.Version(5, 0)), "clustered": (nil, nil),
        "coarsestIndexedLevel": (nil, nil), "collation": (nil, nil),
        "columnstoreProjection": (ServerInfo.Version(6, 1), nil), "default_language": (nil, nil),
        "expireAfterSeconds": (nil, nil), "finestIndexedLevel": (nil, nil),
        "hidden": (ServerInfo.Version(4, 4), nil), "key": (nil, nil),
        "language_override": (nil, nil), "max": (nil, nil), "min": (nil, nil),
        "name": (nil, nil), "originalSpec": (nil, nil), "partialFilterExpression": (nil, nil),
        "prepareUnique": (ServerInfo.Version(6, 0), nil), "sparse": (nil, nil),
        "storageEngine": (nil, nil), "textIndexVersion": (nil, nil), "unique": (nil, nil),
        "v": (nil, nil), "weights": (nil, nil),
        "wildcardProjection": (ServerInfo.Version(4, 2), nil),
    ]
    /// Whether a server of that version takes an option of that name, or may: those that came later
    /// are asked to leave out what they don't know.
    static func isKnown(_ name: String, _ version: ServerInfo.Version?) -> Bool {
        if let version, ServerVersions.lastKnown < version { return true }
        guard let (since, until) = known[name] else { return false }
        guard let version else { return true }
        return since.map { $0 <= version } ?? true && until.map { version < $0 } ?? true
    }
}
