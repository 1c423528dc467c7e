import CronSchedule
import Foundation
import Testing

@Suite struct CronParsingTests {
    @Test(arguments: [
        ("@hourly", "0 * * * *"), ("@daily", "0 0 * * *"), ("@midnight", "0 0 * * *"),
        ("@weekly", "0 0 * * 0"), ("@monthly", "0 0 1 * *"), ("@yearly", "0 0 1 1 *"),
        ("@Annually", "0 0 1 JAN *"), ("0 0 * * 7", "0 0 * * SUN"),
        ("0 0 * * 5-7", "0 0 * * 0,5,6"), ("0 0 * * Fri-Sun", "0 0 * * 0,5,6"),
        ("0 0 * * MON-FRI", "0 0 * * 1,2,3,4,5"), ("*/20 * * * *", "0,20,40 * * * *"),
        ("10-40/15 1 * * *", "10,25,40 1 * * *"), ("0 0 1 jan,DEC *", "0 0 1 1,12 *"),
        ("  0\t0 * * *  ", "0 0 * * *"), ("0 0 * * */2", "0 0 * * 0,2,4,6"),
    ])
    func theseMeanTheSame(text: String, plain: String) throws {
        var runs: [[Int64?]] = []
        for expression in [try CronExpression(parsing: text), try CronExpression(parsing: plain)] {
            var run: Int64? = Moment.milliseconds("2026-01-01T00:00:00Z")
            var found: [Int64?] = []
            for _ in 0..<40 {
                run = run.flatMap { expression.next(after: $0, in: .gmt) }
                found.append(run)
            }
            runs.append(found)
        }
        #expect(runs[0] == runs[1])
        #expect(runs[0].contains(nil) == false)
    }

    @Test(arguments: [
        ("60 * * * *", "minute: 60 is not from 0 to 59"),
        ("* 24 * * *", "hour: 24 is not from 0 to 23"),
        ("* * 0 * *", "day of month: 0 is not from 1 to 31"),
        ("* * * 13 *", "month: 13 is not from 1 to 12"),
        ("* * * * 8", "day of week: 8 is not from 0 to 7"),
        ("* * * FOO *", "month: \"FOO\" is not a number or a name"),
        ("MON * * * *", "minute: \"MON\" is not a number"),
        ("-1 * * * *", "minute: \"-1\" is no range"),
        ("+1 * * * *", "minute: \"+1\" is not a number"),
        ("1.5 * * * *", "minute: \"1.5\" is not a number"),
        ("٣ * * * *", "minute: \"٣\" is not a number"),
        ("1,,2 * * * *", "minute: a value is missing beside a comma"),
        ("* 22-2 * * *", "hour: \"22-2\" ends before it begins; write it as two ranges"),
        ("* 1-2-3 * * *", "hour: \"1-2-3\" is no range"),
        ("*/0 * * * *", "minute: \"0\" is no step, which is a number from 1 on"),
        ("*/x * * * *", "minute: \"x\" is no step, which is a number from 1 on"),
        ("*/60 * * * *", "minute: the step 60 goes beyond 59"),
        ("5/15 * * * *", "minute: \"5/15\": a step needs a range or * before it"),
        ("*/2/3 * * * *", "minute: \"*/2/3\" has more than one step"),
        ("* * L * *", "day of month: \"L\" is not a number"),
        ("* * ? * *", "day of month: \"?\" is not a number"),
        ("0 0 31 2 *", "day of month: no date ever matches"),
        ("0 0 30,31 2 *", "day of month: no date ever matches"),
        ("0 0 31 4,6,9,11 *", "day of month: no date ever matches"),
        ("@reboot", "@reboot is not known; use @hourly, @daily, @weekly, @monthly or @yearly"),
    ])
    func errorsNameTheFieldAndWhatIsWrong(text: String, message: String) {
        #expect(Self.error(of: text)?.description == message)
    }

    @Test(arguments: ["", "* * * *", "* * * * * *", "0 0 * * * UTC", "@daily x"])
    func fiveFieldsAreNeeded(text: String) {
        #expect(Self.error(of: text)?.code == .shape)
        #expect(Self.error(of: text)?.field == nil)
    }

    @Test func aVeryLongExpressionIsNotRead() {
        let text = String(repeating: "1,", count: 200) + "1 * * * *"
        #expect(Self.error(of: text)?.code == .shape)
    }

    @Test(arguments: ["0 0 29 2 *", "0 0 31 2 1", "0 0 29 2 */6", "0 0 31 12 *"])
    func rareDatesAreNoError(text: String) {
        #expect(Self.error(of: text) == nil)
    }

    @Test func anExpressionIsShownAsItWasWritten() throws {
        #expect(try CronExpression(parsing: " 0  0 * * mon ").description == "0 0 * * mon")
        #expect(try CronExpression(parsing: "@daily").description == "@daily")
    }

    @Test(arguments: [
        "Europe/Rome", "UTC", "GMT", "America/New_York", "Etc/UTC", "US/Eastern", "CET", "EST5EDT",
        "W-SU", "GB-Eire", "Zulu",
    ])
    func ianaNamesAreTimeZones(name: String) throws {
        _ = try CronExpression.timeZone(named: name)
    }

    @Test(arguments: [
        "Europe/Atlantis", "europe/rome", "PST", "GMT+5", "", "../etc/passwd", "/etc/localtime",
        "./UTC",
    ])
    func otherNamesAreNone(name: String) {
        #expect(throws: CronError.self) { try CronExpression.timeZone(named: name) }
    }

    private static func error(of text: String) -> CronError? {
        do {
            _ = try CronExpression(parsing: text)
            return nil
        } catch {
            return error
        }
    }
}
