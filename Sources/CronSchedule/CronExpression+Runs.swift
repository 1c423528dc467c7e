internal import CivilCalendar
public import Foundation

/// When an expression's runs are. All instants are milliseconds since 1970-01-01 00:00 UTC.
///
/// What is searched for is a wall time; which instant that is, `WallClock` says. As instants do not
/// decrease with wall times, the search goes from one to the next wall time in order, and skips
/// whole days and months that do not match: the rarest expression costs microseconds.
extension CronExpression {
    private static let secondsPerDay: Int64 = 86_400
    /// From the year 1 to the end of 9999, with a day to spare for offsets at both ends.
    private static let dayRange =
        CivilDay(year: 1, month: 1, day: 2).number...CivilDay(year: 9999, month: 12, day: 30).number

    /// The first run after an instant, which itself does not count; nil when there is none before
    /// the end of the year 9999.
    public func next(after instant: Int64, in zone: TimeZone) -> Int64? {
        let clock = WallClock(zone: zone)
        let first = Self.secondsPerDay * Int64(Self.dayRange.lowerBound)
        let start = max(floorDivide(instant, 1000), first)
        guard start <= Self.secondsPerDay * Int64(Self.dayRange.upperBound) else { return nil }
        // An earlier wall time is that of an earlier run, or of one at this instant.
        var wallTime = firstWallTime(from: clock.wallTime(at: start))
        while let candidate = wallTime {
            let run = clock.instant(of: candidate) * 1000
            if run > instant { return run }
            wallTime = firstWallTime(from: candidate + 60)
        }
        return nil
    }

    /// The last run at or before an instant; nil when there is none since the year 1.
    public func previous(atOrBefore instant: Int64, in zone: TimeZone) -> Int64? {
        let clock = WallClock(zone: zone)
        let last = Self.secondsPerDay * Int64(Self.dayRange.upperBound)
        let start = min(floorDivide(instant, 1000), last)
        guard start >= Self.secondsPerDay * Int64(Self.dayRange.lowerBound) else { return nil }
        // A later wall time is that of a later run.
        var wallTime = lastWallTime(downFrom: clock.latestWallTime(at: start))
        while let candidate = wallTime {
            let run = clock.instant(of: candidate) * 1000
            if run <= instant { return run }
            wallTime = lastWallTime(downFrom: candidate - 60)
        }
        return nil
    }

    /// The newest run that was due after `last` and up to `now`; nil when none was. Missed runs are
    /// made up for once, however many they were.
    public func missedRun(since last: Int64, now: Int64, in zone: TimeZone) -> Int64? {
        guard let run = previous(atOrBefore: now, in: zone), run > last else { return nil }
        return run
    }

    /// The first wall time of a run from one on, in seconds.
    private func firstWallTime(from wallTime: Int64) -> Int64? {
        let day = floorDivide(wallTime, Self.secondsPerDay)
        let second = wallTime - day * Self.secondsPerDay
        if matches(day: Int(day)), let minute = matchingMinute(from: Int((second + 59) / 60)) {
            return day * Self.secondsPerDay + Int64(minute) * 60
        }
        guard let next = matchingDay(from: Int(day) + 1, through: Self.dayRange.upperBound),
            let minute = matchingMinute(from: 0)
        else { return nil }
        return Int64(next) * Self.secondsPerDay + Int64(minute) * 60
    }

    /// The last wall time of a run down from one, in seconds.
    private func lastWallTime(downFrom wallTime: Int64) -> Int64? {
        let day = floorDivide(wallTime, Self.secondsPerDay)
        let second = wallTime - day * Self.secondsPerDay
        if matches(day: Int(day)), let minute = matchingMinute(downFrom: Int(second / 60)) {
            return day * Self.secondsPerDay + Int64(minute) * 60
        }
        guard let previous = matchingDay(from: Int(day) - 1, downTo: Self.dayRange.lowerBound),
            let minute = matchingMinute(downFrom: 1439)
        else { return nil }
        return Int64(previous) * Self.secondsPerDay + Int64(minute) * 60
    }
}
