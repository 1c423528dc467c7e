import CronSchedule
import Foundation
import Testing

@Suite struct CronRunTests {
    /// An expression, a zone, an instant, and the runs that follow it.
    struct Example: Sendable, CustomTestStringConvertible {
        let expression: String
        let zone: String
        let after: String
        let runs: [String]

        var testDescription: String { "\(expression) in \(zone) after \(after)" }
    }

    static let examples = [
        // The clock goes from 2:00 to 3:00.
        Example(
            expression: "30 2 * * *", zone: "America/New_York", after: "2026-03-07T12:00:00-05:00",
            runs: ["2026-03-08T03:00:00-04:00", "2026-03-09T02:30:00-04:00"]),
        Example(
            expression: "*/30 2,3 * * *", zone: "America/New_York",
            after: "2026-03-08T01:00:00-05:00",
            runs: ["2026-03-08T03:00:00-04:00", "2026-03-08T03:30:00-04:00"]),
        // The clock goes from 2:00 back to 1:00.
        Example(
            expression: "30 1 * * *", zone: "America/New_York", after: "2026-10-31T12:00:00-04:00",
            runs: ["2026-11-01T01:30:00-04:00", "2026-11-02T01:30:00-05:00"]),
        Example(
            expression: "30 1 * * *", zone: "America/New_York", after: "2026-11-01T01:10:00-05:00",
            runs: ["2026-11-02T01:30:00-05:00"]),
        Example(
            expression: "0 * * * *", zone: "Europe/Rome", after: "2026-10-25T01:30:00+02:00",
            runs: ["2026-10-25T02:00:00+02:00", "2026-10-25T03:00:00+01:00"]),
        // Half an hour: from 2:00 to 2:30, and from 2:00 back to 1:30.
        Example(
            expression: "15 2 * * *", zone: "Australia/Lord_Howe",
            after: "2026-10-03T12:00:00+10:30", runs: ["2026-10-04T02:30:00+11:00"]),
        Example(
            expression: "45 1 * * *", zone: "Australia/Lord_Howe",
            after: "2026-04-04T12:00:00+11:00",
            runs: ["2026-04-05T01:45:00+11:00", "2026-04-06T01:45:00+10:30"]),
        // There was no 30 December.
        Example(
            expression: "0 12 30 12 *", zone: "Pacific/Apia", after: "2011-12-29T12:00:00-10:00",
            runs: ["2011-12-31T00:00:00+14:00", "2012-12-30T12:00:00+14:00"]),
        Example(
            expression: "0 0 * * *", zone: "Asia/Kathmandu", after: "2026-01-01T00:00:00+05:45",
            runs: ["2026-01-02T00:00:00+05:45"]),
        Example(
            expression: "0 0 29 2 *", zone: "UTC", after: "2026-01-01T00:00:00Z",
            runs: ["2028-02-29T00:00:00Z", "2032-02-29T00:00:00Z"]),
        Example(
            expression: "0 0 29 2 *", zone: "UTC", after: "2096-03-01T00:00:00Z",
            runs: ["2104-02-29T00:00:00Z"]),
        // Either day, as neither field begins with a star: the 13th, and Fridays.
        Example(
            expression: "0 0 13 * FRI", zone: "UTC", after: "2026-01-07T00:00:00Z",
            runs: ["2026-01-09T00:00:00Z", "2026-01-13T00:00:00Z", "2026-01-16T00:00:00Z"]),
        // Both, as one does: Sundays of an odd date.
        Example(
            expression: "0 0 */2 * SUN", zone: "UTC", after: "2026-01-01T00:00:00Z",
            runs: ["2026-01-11T00:00:00Z", "2026-01-25T00:00:00Z"]),
        Example(
            expression: "59 23 31 12 *", zone: "UTC", after: "1969-12-31T23:58:59Z",
            runs: ["1969-12-31T23:59:00Z", "1970-12-31T23:59:00Z"]),
        // A 29 February at a weekend.
        Example(
            expression: "0 0 29 2 */6", zone: "UTC", after: "2060-03-01T00:00:00Z",
            runs: ["2076-02-29T00:00:00Z", "2088-02-29T00:00:00Z", "2116-02-29T00:00:00Z"]),
    ]

    @Test(arguments: examples)
    func runsFollowTheClockOnTheWall(_ example: Example) throws {
        let expression = try Self.expression(example.expression)
        let zone = try CronExpression.timeZone(named: example.zone)
        var instant = Moment.milliseconds(example.after)
        for text in example.runs {
            let run = try #require(expression.next(after: instant, in: zone))
            #expect(run == Moment.milliseconds(text), "\(text)")
            #expect(expression.previous(atOrBefore: run, in: zone) == run)
            #expect(expression.previous(atOrBefore: run + 59_999, in: zone) == run)
            #expect(expression.next(after: run - 1, in: zone) == run)
            instant = run
        }
    }

    @Test func anInstantBetweenMinutesIsNotRoundedIntoARun() throws {
        let expression = try Self.expression("* * * * *")
        #expect(expression.next(after: 0, in: .gmt) == 60_000)
        #expect(expression.next(after: -1, in: .gmt) == 0)
        #expect(expression.next(after: 1, in: .gmt) == 60_000)
        #expect(expression.next(after: 59_999, in: .gmt) == 60_000)
        #expect(expression.previous(atOrBefore: 59_999, in: .gmt) == 0)
        #expect(expression.previous(atOrBefore: -1, in: .gmt) == -60_000)
    }

    @Test func missedRunsAreMadeUpForOnce() throws {
        let expression = try Self.expression("0 2 * * *")
        let lastRun = Moment.milliseconds("2026-05-01T02:00:00Z")
        func missed(_ now: String) -> Int64? {
            expression.missedRun(since: lastRun, now: Moment.milliseconds(now), in: .gmt)
        }
        #expect(missed("2026-05-02T01:59:59Z") == nil)
        #expect(missed("2026-05-02T02:00:00Z") == Moment.milliseconds("2026-05-02T02:00:00Z"))
        #expect(missed("2026-05-09T12:00:00Z") == Moment.milliseconds("2026-05-09T02:00:00Z"))
        // A clock that was set back: nothing is due.
        #expect(missed("2026-04-01T12:00:00Z") == nil)
    }

    @Test(arguments: [Int64.min, Int64.min + 1, -62_135_596_800_001, Int64.max - 1, Int64.max])
    func instantsBeyondTheCalendarHaveNoRunsOrTheNearest(instant: Int64) throws {
        let expression = try Self.expression("0 0 1 1 *")
        let zone = try CronExpression.timeZone(named: "America/New_York")
        #expect((expression.next(after: instant, in: zone) == nil) == (instant > 0))
        #expect((expression.previous(atOrBefore: instant, in: zone) == nil) == (instant < 0))
    }

    /// Minute by minute, a century has fifty million steps.
    @Test func theRarestDatesAreFoundAtOnce() throws {
        let expression = try Self.expression("0 0 29 2 */6")
        let zone = try CronExpression.timeZone(named: "Europe/Rome")
        let clock = ContinuousClock()
        let start = Moment.milliseconds("2088-03-01T00:00:00Z")
        let time = clock.measure {
            for step in 0..<100 {
                _ = expression.next(after: start + Int64(step), in: zone)
                _ = expression.previous(atOrBefore: start + Int64(step), in: zone)
            }
        }
        // A few milliseconds, in truth; the limit is for busy machines.
        #expect(time < .seconds(5))
    }

    private static func expression(_ text: String) throws -> CronExpression {
        try CronExpression(parsing: text)
    }
}
