internal import ArchiveFormat
internal import BSONBytes
internal import Snapshots

/// What a manifest says about the instant that its snapshot is of.
struct ConsistencyText {
    private let level: Manifest.Consistency
    /// Known of a server that was backed up; of an archive of mongodump nothing is.
    private let isStandalone: Bool
    /// Namespaces that were read in another way than the rest.
    private let exceptions: [Namespace]

    private static let exceptionCountShown = 5

    /// What the manifest says.
    init(_ manifest: Manifest) {
        level = manifest.consistency
        isStandalone = manifest.source.replicaSet == nil && !manifest.source.hosts.isEmpty
        exceptions = manifest.namespaces.filter { $0.consistency == Manifest.Consistency.none }
            .map(\.descriptor.namespace)
    }

    /// One line for people.
    var sentence: String {
        switch level {
        case .none:
            "consistency none: each collection is as its cursor found it"
                + (isStandalone ? " (a standalone server has no history)" : "")
        case .snapshot(let time):
            "consistency snapshot: all as of \(Self.date(time)) (cluster time \(time))"
                + exceptionText
        case .oplog(let start, let end):
            "consistency oplog: all as of \(Self.date(end)) (cluster time \(end)) once the oplog "
                + "since \(start) is replayed, as a restore of everything does" + exceptionText
        }
    }

    private var exceptionText: String {
        guard !exceptions.isEmpty else { return "" }
        let names = exceptions.prefix(Self.exceptionCountShown)
            .map { Formatting.visible($0.description) }
        let rest = exceptions.count - names.count
        return "; but these have no history and are as their cursor found them: "
            + names.joined(separator: ", ") + (rest > 0 ? " and \(rest) more" : "")
    }

    private static func date(_ time: BSONTimestamp) -> String {
        CalendarDate(milliseconds: Int64(time.seconds) * 1000).description
    }
}
