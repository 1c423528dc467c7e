/// Decides what becomes of each snapshot of a repository. Pure.
struct RetentionPlan {
    private static let millisecondsOfDay: Int64 = 86_400_000

    private let policy: RetentionPolicy
    private let now: Int64
    private let inUse: Set<SnapshotID>
    /// Newest first.
    private let overviews: [SnapshotCatalog.Overview]
    private let floor: SnapshotCatalog.Overview?
    private var kept: [SnapshotID: [RetentionDecision.Reason]] = [:]

    init(
        _ overviews: [SnapshotCatalog.Overview], _ policy: RetentionPolicy, now: Int64,
        inUse: Set<SnapshotID>
    ) {
        self.policy = policy
        self.now = now
        self.inUse = inUse
        self.overviews = overviews.sorted {
            ($0.startedAt, $0.key) > ($1.startedAt, $1.key)
        }
        // What a clock that was ahead has dated must not push out what is newer in truth.
        let believed = overviews.filter { !$0.isFromTheFuture(now: now) }
        floor = Self.floor(of: believed) ?? Self.floor(of: overviews)
        let readable = self.overviews.filter {
            $0.facts != nil && !$0.isPreRestore && !$0.isFromTheFuture(now: now)
        }
        keep(policy.keepLast, of: readable, .keepLast, "of the last") { $0.key }
        keep(policy.keepDaily, of: readable, .keepDaily, "the newest of its day, of") {
            String(Self.day($0))
        }
        keep(policy.keepWeekly, of: readable, .keepWeekly, "the newest of its week, of") {
            // The first day of 1970 was a Thursday.
            String((Self.day($0) + 3) / 7)
        }
        keep(policy.keepMonthly, of: readable, .keepMonthly, "the newest of its month, of") {
            String(CalendarDate(milliseconds: $0.startedAt).monthNumber)
        }
    }

    /// What nobody may remove but by force: the newest verified one; where none was, the newest
    /// whole one, else the newest that can be read. Backups of what restores replaced are parts,
    /// and are it only where there is nothing else.
    static func floor(
        of overviews: [SnapshotCatalog.Overview]
    ) -> SnapshotCatalog.Overview? {
        func newest(
            _ isMeant: (SnapshotCatalog.Overview) -> Bool
        ) -> SnapshotCatalog.Overview? {
            overviews.filter(isMeant).max { ($0.startedAt, $0.key) < ($1.startedAt, $1.key) }
        }
        func best(
            _ isMeant: (SnapshotCatalog.Overview) -> Bool
        ) -> SnapshotCatalog.Overview? {
            newest { isMeant($0) && $0.isVerified } ?? newest { isMeant($0) && $0.isWhole }
                ?? newest { isMeant($0) && $0.facts != nil }
        }
        return best { !$0.isPreRestore } ?? best(\.isPreRestore)
    }

    /// For each snapshot, newest first.
    var decisions: [RetentionDecision] {
        // Backups of what restores replaced are counted by themselves: many small ones would push
        // out those of everything.
        var positions = [true: 0, false: 0]
        return overviews.map { overview in
            let isReadable = overview.facts != nil && !overview.isFromTheFuture(now: now)
            if isReadable { positions[overview.isPreRestore, default: 0] += 1 }
            let against = reasonsAgainst(
                overview, position: isReadable ? positions[overview.isPreRestore, default: 0] : 0)
            let reasons = reasonsFor(overview)
            guard reasons.isEmpty else {
                return RetentionDecision(
                    overview: overview, action: .keep, reasons: against + reasons)
            }
            guard against.isEmpty else {
                return RetentionDecision(overview: overview, action: .remove, reasons: against)
            }
            return RetentionDecision(
                overview: overview, action: .keep,
                reasons: [.init(code: .withinLimits, sentence: "within the limits")])
        }
    }

    private func reasonsAgainst(
        _ overview: SnapshotCatalog.Overview, position: Int
    ) -> [RetentionDecision.Reason] {
        var reasons: [RetentionDecision.Reason] = []
        if let days = policy.maxAgeDays,
            now - overview.startedAt > Int64(days) * Self.millisecondsOfDay
        {
            reasons.append(.init(code: .tooOld, sentence: "older than \(days) days"))
        }
        if let count = policy.maxCount, position > count {
            reasons.append(.init(code: .beyondCount, sentence: "beyond the newest \(count)"))
        }
        return reasons
    }

    private func reasonsFor(
        _ overview: SnapshotCatalog.Overview
    ) -> [RetentionDecision.Reason] {
        var reasons = kept[overview.id] ?? []
        if inUse.contains(overview.id) {
            reasons.append(.init(code: .inUse, sentence: "in use by a job"))
        }
        if overview.isFromTheFuture(now: now) {
            reasons.append(
                .init(
                    code: .fromTheFuture,
                    sentence: "dated in the future, so that its age is not known: delete it by its "
                        + "name, or set the clock"))
        }
        if overview.isDamaged {
            reasons.append(
                .init(
                    code: .damaged,
                    sentence: "damaged: salvage it, or delete it by its name"))
        }
        if overview.key == floor?.key {
            reasons.append(
                overview.isVerified
                    ? .init(code: .lastVerified, sentence: "the newest that was verified")
                    : .init(
                        code: .lastWhole,
                        sentence: "the newest that seems whole, and none was verified"))
        }
        return reasons
    }

    /// Keeps the newest of each group, of so many groups.
    private mutating func keep(
        _ count: Int?, of readable: [SnapshotCatalog.Overview], _ code: RetentionDecision.Code,
        _ words: String, group: (SnapshotCatalog.Overview) -> String
    ) {
        guard let count else { return }
        var groups: Set<String> = []
        for overview in readable where groups.count < count {
            guard groups.insert(group(overview)).inserted else { continue }
            kept[overview.id, default: []].append(
                .init(code: code, sentence: "\(words) \(count) to keep"))
        }
    }

    private static func day(_ overview: SnapshotCatalog.Overview) -> Int64 {
        let moment = overview.startedAt
        return moment >= 0
            ? moment / millisecondsOfDay : (moment - millisecondsOfDay + 1) / millisecondsOfDay
    }
}
