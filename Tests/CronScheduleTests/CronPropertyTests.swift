import CronSchedule
import Foundation
import Testing

/// Random expressions against a scan of every minute of two years, which knows nothing of how the
/// search works.
@Suite struct CronPropertyTests {
    @Test(arguments: [
        ("America/New_York", 2026), ("Europe/Rome", 2027), ("Australia/Lord_Howe", 2023),
        ("Asia/Kathmandu", 1985), ("Pacific/Apia", 2011),
    ])
    func runsAreThoseOfAScanOfEveryMinute(name: String, year: Int) throws {
        let seed = UInt64.random(in: 0 ... .max)
        print("cron runs in \(name): seed \(seed)")
        var generator = SplitMix(state: seed)
        let scan = try MinuteScan(zone: name, year: year)
        for _ in 0..<3 {
            let model = CronModel.random(&generator)
            let runs = scan.runs(of: model)
            let expression = try CronExpression(parsing: model.text)
            let instants =
                scan.instantsAroundChanges()
                + (0..<500).map { _ in Int64.random(in: scan.inside, using: &generator) }
            let wrong = instants.filter {
                !Self.agrees(expression, scan.zone, with: runs, at: $0)
            }
            #expect(wrong.prefix(3) == [], "seed \(seed): \(model.text) in \(name)")
        }
    }

    /// The canary: a scan that takes each minute as the clock shows it, without a thought of gaps
    /// and repetitions, must be found to differ, and only around the changes.
    @Test func aScanThatForgetsTheChangesIsCaught() throws {
        let scan = try MinuteScan(zone: "America/New_York", year: 2026)
        let model = CronModel(minutes: [30], hours: [1, 2], days: nil, months: nil, weekdays: nil)
        let expression = try CronExpression(parsing: model.text)
        let careful = scan.runs(of: model)
        let careless = scan.runs(of: model, forgetsChanges: true)
        let around = scan.instantsAroundChanges()
        #expect(around.allSatisfy { Self.agrees(expression, scan.zone, with: careful, at: $0) })
        #expect(!around.allSatisfy { Self.agrees(expression, scan.zone, with: careless, at: $0) })
    }

    /// Whether the runs on both sides of an instant are those of a sorted list.
    private static func agrees(
        _ expression: CronExpression, _ zone: TimeZone, with runs: [Int64], at instant: Int64
    ) -> Bool {
        var low = 0
        var high = runs.count
        while low < high {
            let middle = (low + high) / 2
            if runs[middle] > instant { high = middle } else { low = middle + 1 }
        }
        // Beyond the ends of the list nothing is known.
        let next = low < runs.count ? runs[low] : nil
        let previous = low > 0 ? runs[low - 1] : nil
        return (next == nil || expression.next(after: instant, in: zone) == next)
            && (previous == nil || expression.previous(atOrBefore: instant, in: zone) == previous)
    }
}

/// What an expression means, as plain sets; nil where it has a star.
struct CronModel {
    let minutes: Set<Int>?
    let hours: Set<Int>?
    let days: Set<Int>?
    let months: Set<Int>?
    let weekdays: Set<Int>?

    /// As it would be written.
    var text: String {
        [minutes, hours, days, months, weekdays]
            .map { $0.map { $0.sorted().map(String.init).joined(separator: ",") } ?? "*" }
            .joined(separator: " ")
    }

    /// Days up to 28, so that none never occurs.
    static func random(_ generator: inout SplitMix) -> CronModel {
        func set(_ range: ClosedRange<Int>, _ chance: Int) -> Set<Int>? {
            guard Int.random(in: 0..<100, using: &generator) < chance else { return nil }
            let count = Int.random(in: 1...3, using: &generator)
            return Set((0..<count).map { _ in Int.random(in: range, using: &generator) })
        }
        // Changes are at night.
        let hours = set(0...3, 90)
        return CronModel(
            minutes: set(0...59, 90), hours: hours, days: set(1...28, 30), months: set(1...12, 30),
            weekdays: set(0...6, 30))
    }

    /// Whether a day matches, by the C library's calendar.
    func matches(day: Int) -> Bool {
        var time = time_t(day * 86_400)
        var date = tm()
        gmtime_r(&time, &date)
        let isDay = days?.contains(Int(date.tm_mday))
        let isWeekday = weekdays?.contains(Int(date.tm_wday))
        guard months?.contains(Int(date.tm_mon) + 1) ?? true else { return false }
        guard let isDay, let isWeekday else { return (isDay ?? true) && (isWeekday ?? true) }
        return isDay || isWeekday
    }
}

/// Every minute of two years in one time zone.
struct MinuteScan {
    let zone: TimeZone
    /// Seconds since 1970 of the first minute.
    private let start: Int
    /// What the clock shows each minute, in minutes since 1970.
    private let wallMinutes: [Int]

    init(zone name: String, year: Int) throws {
        zone = try CronExpression.timeZone(named: name)
        start = Int(Moment.milliseconds("\(year)-01-01T00:00:00Z") / 1000)
        let zone = zone
        let start = start
        wallMinutes = (0..<(2 * 365 * 1440)).map { minute in
            let instant = start + minute * 60
            let date = Date(timeIntervalSince1970: TimeInterval(instant))
            return (instant + zone.secondsFromGMT(for: date)) / 60
        }
    }

    /// Instants with runs known on both sides, in milliseconds.
    var inside: ClosedRange<Int64> {
        Int64(start) * 1000...Int64(start + wallMinutes.count * 60 - 60) * 1000
    }

    /// Instants some hours before and behind each change of the clock, odd milliseconds as well.
    func instantsAroundChanges() -> [Int64] {
        let changes = wallMinutes.indices.dropFirst()
            .filter { wallMinutes[$0] != wallMinutes[$0 - 1] + 1 }
        return changes.flatMap { change in
            stride(from: change - 300, to: change + 300, by: 4).flatMap { minute in
                let instant = Int64(start + minute * 60) * 1000
                return [instant - 1, instant]
            }
        }
    }

    /// The instants of all runs: of each wall time that is reached or passed over for the first
    /// time.
    func runs(of model: CronModel, forgetsChanges: Bool = false) -> [Int64] {
        let days = (wallMinutes[0] / 1440 - 1)...(wallMinutes[0] / 1440 + 2 * 366 + 2)
        let dayMatches = days.map(model.matches)
        let minuteMatches = (0..<1440).map { minute in
            (model.hours?.contains(minute / 60) ?? true)
                && (model.minutes?.contains(minute % 60) ?? true)
        }
        func matches(_ wall: Int) -> Bool {
            minuteMatches[wall % 1440] && dayMatches[wall / 1440 - days.lowerBound]
        }
        var seen = wallMinutes[0] - 1
        var runs: [Int64] = []
        // No iterator: a million steps of one take a second where tests are not optimised.
        var minute = 0
        while minute < wallMinutes.count {
            let wall = wallMinutes[minute]
            let isRun =
                wall == seen + 1 || forgetsChanges
                ? matches(wall) : wall > seen && ((seen + 1)...wall).contains(where: matches)
            if isRun { runs.append(Int64(start + minute * 60) * 1000) }
            if wall > seen { seen = wall }
            minute += 1
        }
        return runs
    }
}

/// Sebastiano Vigna's generator: small, and the same everywhere.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
