internal import SnapshotJSON
internal import Snapshots

/// What can be said of a repository as a whole.
struct StatsSummary {
    let statistics: RepositoryStatistics
    let folder: String

    /// For people and for machines.
    var result: JobResult { JobResult(text: text, json: JSONValue(statistics)) }

    private var text: String {
        let rows: [(String, String?)] = [
            ("repository", folder),
            ("snapshots", counts),
            ("damaged", statistics.damagedCount == 0 ? nil : "\(statistics.damagedCount)"),
            ("documents", Formatting.count(statistics.documentCount)),
            ("size", size),
            ("speed", statistics.bytesPerSecond.flatMap(Self.rate)),
            ("duration", statistics.secondsMean.map { "\(Formatting.duration($0)) on average" }),
            ("oldest", Self.event(statistics.oldest)),
            ("newest", Self.event(statistics.newest)),
            ("last success", Self.event(statistics.lastSuccess) ?? "none"),
            ("last verified", Self.event(statistics.lastVerified) ?? "none"),
            ("growth", growth),
            ("free", free),
        ]
        return rows.compactMap { name, value in
            guard let value else { return nil }
            let space = String(repeating: " ", count: 15 - name.count)
            return "\(name)\(space)\(Formatting.visible(value))"
        }
        .joined(separator: "\n")
    }

    private var counts: String {
        let kinds = statistics.countsByKind.map { "\($0.count) \($0.kind)" }
        return "\(statistics.count)"
            + (kinds.isEmpty ? "" : " (\(kinds.joined(separator: ", ")))")
    }

    private var size: String {
        let percent = statistics.ratio.map {
            " (\(Formatting.decimal($0 * 100, digitCount: 1)) %)"
        }
        return "\(Formatting.bytes(statistics.documentByteCount)) → "
            + "\(Formatting.bytes(statistics.storedByteCount))\(percent ?? "")"
    }

    private var growth: String? {
        statistics.growthBytesPerDay.flatMap { UInt64(exactly: $0.rounded()) }
            .map { "\(Formatting.bytes($0)) a day" }
    }

    private var free: String? {
        guard let free = statistics.freeByteCount, let total = statistics.totalByteCount else {
            return nil
        }
        return "\(Formatting.bytes(free)) of \(Formatting.bytes(total))"
    }

    private static func rate(_ bytesPerSecond: Double) -> String? {
        UInt64(exactly: bytesPerSecond.rounded()).map { "\(Formatting.bytes($0))/s" }
    }

    private static func event(_ event: RepositoryStatistics.Event?) -> String? {
        event.map { "\(CalendarDate(milliseconds: $0.at)) (\($0.id))" }
    }
}
