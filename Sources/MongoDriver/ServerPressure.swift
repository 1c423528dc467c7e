import BSONBytes

/// How hard pressed a server is for what writing needs.
public struct ServerPressure: Hashable, Sendable {
    /// The part of the storage engine's cache that is in use, 0 to 1; 0 where it has none.
    public var cacheUse: Double
    /// The part of the cache that holds what was not written to disk yet.
    public var dirtyCache: Double
    /// Whether the majority of the replica set lags so far behind that the primary holds writes up
    /// (flow control).
    public var isLagging: Bool

    /// What a server has told.
    public init(cacheUse: Double, dirtyCache: Double, isLagging: Bool) {
        self.cacheUse = cacheUse
        self.dirtyCache = dirtyCache
        self.isLagging = isLagging
    }

    /// WiredTiger makes clients clean up before they may go on from here on (`eviction_trigger`
    /// and `eviction_dirty_trigger`, 95 % and 20 %).
    public var isShortOfCache: Bool { cacheUse >= 0.95 || dirtyCache >= 0.20 }

    /// Reads a reply to `serverStatus`.
    init(_ status: BSONDocument) throws(MongoError) {
        let cache = try status.field("wiredTiger", \.document)?.field("cache", \.document)
        let size = try cache?.field("maximum bytes configured", \.anyNumber) ?? 0
        let used = try cache?.field("bytes currently in the cache", \.anyNumber) ?? 0
        let dirty = try cache?.field("tracked dirty bytes in the cache", \.anyNumber) ?? 0
        cacheUse = size > 0 ? used / size : 0
        dirtyCache = size > 0 ? dirty / size : 0
        isLagging =
            try status.field("flowControl", \.document)?.field("isLagged", \.bool) ?? false
    }
}

extension MongoConnection {
    /// Asks the primary how hard pressed it is. Cost: a millisecond or two of the server's time.
    ///
    /// - Throws: `MongoError` with `unauthorized` for users without the role `clusterMonitor`.
    public func serverPressure() throws -> ServerPressure {
        let leftOut = [
            "asserts", "connections", "electionMetrics", "extra_info", "globalLock", "locks",
            "logicalSessionRecordCache", "metrics", "mirroredReads", "network", "opLatencies",
            "opReadConcernCounters", "opcounters", "opcountersRepl", "oplogTruncation", "repl",
            "security", "storageEngine", "tcmalloc", "trafficRecording", "transactions",
            "transportSecurity", "twoPhaseCommitCoordinator",
        ]
        let command = BSONDocument { builder in
            builder.append("serverStatus", Int32(1))
            for section in leftOut { builder.append(section, Int32(0)) }
        }
        return try ServerPressure(run(command, on: "admin", as: .primary))
    }
}

extension BSONValue {
    fileprivate var anyNumber: Double? { double ?? wholeNumber.map { Double($0) } }
}
