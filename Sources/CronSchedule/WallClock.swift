internal import Foundation

/// The clocks on the walls of one time zone. A wall time is given in seconds since 1970-01-01 00:00
/// as that clock shows it; an instant, in seconds since 1970-01-01 00:00 UTC.
struct WallClock {
    /// More than any zone has ever been apart from UTC.
    private static let offsetMax: Int64 = 17 * 3600

    private let zone: TimeZone

    /// The clocks of a zone.
    init(zone: TimeZone) {
        self.zone = zone
    }

    /// What the clock shows at an instant.
    func wallTime(at instant: Int64) -> Int64 { instant + offset(at: instant) }

    /// A wall time before which everything comes that has been on the clock up to an instant, and
    /// which it may show only later: where it was set back during the last day, what it would show
    /// otherwise.
    func latestWallTime(at instant: Int64) -> Int64 {
        instant + max(offset(at: instant), offset(at: instant - 25 * 3600))
    }

    /// The first instant at which the clock shows a wall time. Where it never does, because it was
    /// set forward over it, the first instant after the gap.
    ///
    /// Never earlier for a later wall time. There must be no two changes within 34 hours.
    func instant(of wallTime: Int64) -> Int64 {
        var before = wallTime - Self.offsetMax
        var after = wallTime + Self.offsetMax
        let offsets = (offset(at: before), offset(at: after))
        let candidates = [wallTime - offsets.0, wallTime - offsets.1]
        let shown = candidates.filter { self.wallTime(at: $0) == wallTime }
        if let first = shown.min() { return first }
        while after - before > 1 {
            let middle = before + (after - before) / 2
            if offset(at: middle) == offsets.0 { before = middle } else { after = middle }
        }
        return after
    }

    private func offset(at instant: Int64) -> Int64 {
        Int64(zone.secondsFromGMT(for: Date(timeIntervalSince1970: TimeInterval(instant))))
    }
}
