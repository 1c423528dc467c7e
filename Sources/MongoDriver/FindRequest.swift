public import BSONBytes

/// What a cursor over a collection shall read.
public struct FindRequest: Sendable {
    /// The most documents a reply may have. Far more than fit: the server ends a reply when it
    /// holds 16 MiB.
    public static let batchDocumentCountMax: Int32 = 1_000_000
    /// What a cursor's first reply should be asked for, as long as nobody knows how large the
    /// documents are; see `MongoCursor.batchByteCountTarget`.
    public static let firstBatchDocumentCount: Int32 = 256

    /// The collection's database.
    public var database: String
    /// The collection or view.
    public var collection: String
    /// Only documents that match; nil for all.
    public var filter: BSONDocument?
    /// Which fields to return; nil for all, byte for byte.
    public var projection: BSONDocument?
    /// The order, such as `{_id: 1}`; nil leaves it to the server.
    public var sort: BSONDocument?
    /// The index to walk, such as `{_id: 1}` or `{$natural: 1}`.
    public var hint: BSONDocument?
    /// Lower bound in the hinted index, inclusive.
    public var min: BSONDocument?
    /// Upper bound in the hinted index, exclusive.
    public var max: BSONDocument?
    /// How many documents to leave out in front.
    public var skip: Int64 = 0
    /// Read as of this moment (snapshot read concern, server 5.0 or later, replica sets and sharded
    /// clusters); nil reads what is there when the cursor gets to it.
    public var atClusterTime: BSONTimestamp?
    /// Read nothing older than this moment, and only what a majority of the replica set has (read
    /// concern majority): nothing that is read can be rolled back. For requests that state no
    /// `atClusterTime`.
    public var afterClusterTime: BSONTimestamp?
    /// The identity that the collection must have when the cursor is opened (server 6.0 or later);
    /// nil takes whichever has the name.
    public var collectionUUID: [UInt8]?
    /// Keep the cursor also when nobody asks it for ten minutes. Its session still ends after
    /// thirty.
    public var noCursorTimeout = false
    /// Return a time-series collection's buckets as they are stored (server 8.3 or later).
    public var rawData = false
    /// The most documents a reply may have.
    public var batchDocumentCount = FindRequest.batchDocumentCountMax

    /// All documents of a collection.
    public init(database: String, collection: String) {
        self.database = database
        self.collection = collection
    }

    /// The `find` command.
    ///
    /// - Parameter readConcernLevel: used unless the request states a moment.
    func command(readConcernLevel: String?) -> BSONDocument {
        BSONDocument { builder in
            builder.append("find", collection)
            let parts = [
                ("filter", filter), ("projection", projection), ("sort", sort), ("hint", hint),
                ("min", min), ("max", max),
            ]
            for case let (name, document?) in parts { builder.append(name, document) }
            if skip > 0 { builder.append("skip", skip) }
            builder.append(
                "batchSize", Swift.min(batchDocumentCount, Self.firstBatchDocumentCount))
            if noCursorTimeout { builder.append("noCursorTimeout", true) }
            if rawData { builder.append("rawData", true) }
            if let collectionUUID {
                builder.append("collectionUUID", binary: collectionUUID, subtype: 4)
            }
            if let concern = readConcern(level: readConcernLevel) {
                builder.append("readConcern", concern)
            }
        }
    }

    func readConcern(level: String?) -> BSONDocument? {
        if let atClusterTime {
            return BSONDocument {
                $0.append("level", "snapshot")
                $0.append("atClusterTime", atClusterTime)
            }
        }
        if let afterClusterTime {
            return BSONDocument {
                $0.append("level", "majority")
                $0.append("afterClusterTime", afterClusterTime)
            }
        }
        return level.map { level in BSONDocument { $0.append("level", level) } }
    }
}
