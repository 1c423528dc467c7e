internal import ArchiveFormat
internal import SnapshotJSON
internal import Snapshots

/// A page of the list of backups, as the caller asks for it.
struct BackupList {

    private let kind: String?
    private let isDamaged: Bool?
    private let since: Int64?
    private let until: Int64?
    private let limit: Int
    private let cursor: String?

    init(_ call: Call) {
        kind = call.text("type")
        isDamaged = call.text("status").map { $0 == "DAMAGED" }
        since = call.time("since")
        until = call.time("until")
        limit = call.number("limit") ?? 100
        cursor = call.text("cursor")
    }

    /// The page. Its cursor is the last identifier on it: lists go by those, so that a backup which
    /// comes or goes between two pages neither repeats nor hides another.
    ///
    /// - Parameter ignored: what is in the repository and is no snapshot.
    func json(
        of overviews: [SnapshotCatalog.Overview], ignored: [IgnoredEntry]
    ) -> JSONValue {
        let fitting = overviews.filter(fits).sorted { $0.id > $1.id }
        let rest =
            cursor.map { cursor in fitting.drop { $0.id.description >= cursor } } ?? fitting[...]
        let page = rest.prefix(limit)
        let next = rest.count > page.count ? page.last?.id.description : nil
        return .object([
            "backups": .array(page.map(BackupJSON.overview)),
            "next_cursor": .optional(next),
            "ignored": .array(
                ignored.prefix(ReplySchemas.ignoredCountMax).map { entry in
                    .object(["name": .string(entry.name), "reason": .string(entry.reason)])
                }),
            "totals": .object([
                "backups": .count(fitting.count),
                "documents": .count(sum(fitting) { $0.facts?.documentCount ?? 0 }),
                "bytes": .count(sum(fitting) { $0.facts?.documentByteCount ?? 0 }),
                "stored_bytes": .count(sum(fitting) { $0.storedByteCount }),
            ]),
        ])
    }

    private func fits(_ overview: SnapshotCatalog.Overview) -> Bool {
        let moment = overview.startedAt
        return (kind == nil || overview.id.kind == kind)
            && (isDamaged == nil || overview.isDamaged == isDamaged)
            && (since.map { moment >= $0 } ?? true) && (until.map { moment < $0 } ?? true)
    }

    private func sum(
        _ overviews: [SnapshotCatalog.Overview], _ part: (SnapshotCatalog.Overview) -> UInt64
    ) -> UInt64 {
        overviews.reduce(0) { $0 &+ part($1) }
    }
}

extension Call {
    /// A moment, in milliseconds since 1970 UTC; nil when it was not given.
    func time(_ name: String) -> Int64? { text(name).flatMap(Moment.milliseconds) }
}
