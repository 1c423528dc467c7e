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
    /// With a window, its end is not known yet.
    let consistency: Manifest.Consistency
    /// All namespaces, in the order of the archive.
    let streams: [Stream]
    /// The time whose entries of the oplog are the last of the streams; nil when none is.
    let window: OplogWindow?

    init(_ catalog: SourceCatalog) {
        server = catalog.server
        let moment = catalog.moment
        var streams = catalog.entries.enumerated().map { ordinal, entry in
            Self.stream(UInt32(ordinal), entry, catalog.server, moment)
        }
        switch moment {
        case .instant(let time):
            consistency = .snapshot(time)
            window = nil
        case .window(let window):
            consistency = .oplog(from: window.start, to: window.start)
            self.window = window
            // mongorestore counts on its being the last.
            streams.append(
                Stream(ordinal: UInt32(streams.count), descriptor: .oplog, kind: .data))
        case .whenever:
            consistency = .none
            window = nil
        }
        self.streams = streams
    }

    /// Those that are read before the oplog.
    var collections: ArraySlice<Stream> { window == nil ? streams[...] : streams.dropLast() }

    var prelude: ArchivePrelude {
        ArchivePrelude(
            serverVersion: server.versionString, toolVersion: Tool.description,
            namespaces: streams.map(\.descriptor))
    }

    private static func stream(
        _ ordinal: UInt32, _ entry: SourceCatalog.Entry, _ server: ServerInfo,
        _ moment: SourceCatalog.Moment
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
        switch moment {
        case .instant(let time) where canReadSnapshot(entry, server):
            request.atClusterTime = time
        case .window(let window) where isReplicated(descriptor.namespace):
            request.afterClusterTime = window.floor
            if server.version >= ServerInfo.Version(6, 0) {
                request.collectionUUID = entry.dataUUID
            }
        case .instant, .window: stream.consistency = Manifest.Consistency.none
        case .whenever: break
        }
        stream.request = request
        stream.canBeSplit = stream.kind == .data && entry.canBeSplit
        return stream
    }

    /// Servers refuse to read capped collections at a cluster time.
    private static func canReadSnapshot(
        _ entry: SourceCatalog.Entry, _ server: ServerInfo
    ) -> Bool {
        !entry.isCapped && isReplicated(entry.descriptor.namespace)
    }

    /// Collections that are not replicated have no history, and no entries in the oplog.
    private static func isReplicated(_ namespace: Namespace) -> Bool {
        namespace.database != "local" && namespace.collection != "system.profile"
    }
}
