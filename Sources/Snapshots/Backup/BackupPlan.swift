internal import ArchiveFormat
internal import BSONBytes
internal import MongoDriver

/// Everything that is decided before the first document is read.
struct BackupPlan: Sendable {
    /// A namespace and how it is read.
    struct Stream: Sendable {
        var ordinal: UInt32
        var descriptor: NamespaceDescriptor
        var kind: ChunkKind
        /// What to ask for; nil for a view, which has no documents.
        var request: FindRequest?
        /// How it is read when not as the plan says.
        var consistency: Manifest.Consistency?
        /// The identity of the collection that is read.
        var dataUUID: [UInt8]?
        /// Whether it may be read by ranges of its `_id`: it has an ordinary index on it, whose
        /// keys are the values themselves, and its order is nothing to be kept.
        var canBeSplit = false
    }

    let server: ServerInfo
    let consistency: Manifest.Consistency
    let streams: [Stream]

    /// - Parameter moment: the cluster time that everything is read at; nil where there is none.
    init(_ catalog: SourceCatalog, at moment: BSONTimestamp?) {
        server = catalog.server
        consistency = moment.map { .snapshot($0) } ?? .none
        streams = catalog.entries.enumerated().map { ordinal, entry in
            Self.stream(UInt32(ordinal), entry, catalog.server, moment)
        }
    }

    var prelude: ArchivePrelude {
        ArchivePrelude(
            serverVersion: server.versionString, toolVersion: Tool.description,
            namespaces: streams.map(\.descriptor))
    }

    private static func stream(
        _ ordinal: UInt32, _ entry: SourceCatalog.Entry, _ server: ServerInfo,
        _ moment: BSONTimestamp?
    ) -> Stream {
        let descriptor = entry.descriptor
        var stream = Stream(
            ordinal: ordinal, descriptor: descriptor,
            kind: descriptor.isAuthorization ? .special : .data, request: nil,
            dataUUID: entry.dataUUID)
        guard descriptor.type != .view else { return stream }
        var request = FindRequest(
            database: descriptor.namespace.database, collection: descriptor.dataCollection)
        request.noCursorTimeout = true
        // Natural order: the order of a capped collection is data, and a scan is the fastest read.
        request.hint = BSONDocument { $0.append("$natural", Int32(1)) }
        request.rawData =
            descriptor.type == .timeseries
            && !ArchivePrelude.keepsBucketsApart(serverVersion: server.versionString)
        if moment != nil, !canReadSnapshot(entry, server) {
            stream.consistency = Manifest.Consistency.none
        } else {
            request.atClusterTime = moment
        }
        stream.request = request
        stream.canBeSplit = stream.kind == .data && entry.canBeSplit
        return stream
    }

    /// Collections that are not replicated have no history, and servers refuse to read capped
    /// collections at a cluster time.
    private static func canReadSnapshot(
        _ entry: SourceCatalog.Entry, _ server: ServerInfo
    ) -> Bool {
        let namespace = entry.descriptor.namespace
        return !entry.isCapped && namespace.database != "local"
            && namespace.collection != "system.profile"
    }
}
