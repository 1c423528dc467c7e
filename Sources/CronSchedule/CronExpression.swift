internal import CivilCalendar
public import Foundation

/// When something runs: the five fields of a crontab, read as Vixie's cron reads them.
///
///     minute hour day-of-month month day-of-week
///     30     2    *            *     MON-FRI
///
/// A field is a list, by commas, of `*`, numbers, names of three letters (JAN, MON) and ranges; the
/// latter and `*` may have a step: `*/5`, `8-18/2`. Sunday is 0 or 7. `@hourly`, `@daily` or
/// `@midnight`, `@weekly`, `@monthly`, `@yearly` or `@annually` stand for what they say.
///
/// **Days**: when both day fields are restricted, a day that matches either is meant; a field that
/// begins with `*` restricts nothing by that rule, so that `*/2` and another day field must both
/// match.
///
/// **Clocks that are changed**: a run whose time the clock passes over happens at the first instant
/// after the gap; several such runs are one. A time that the clock shows twice is run once, at the
/// first; so an hourly schedule pauses during the hour that is repeated. Where that matters, use
/// UTC.
public struct CronExpression: Hashable, Sendable, CustomStringConvertible {
    /// The longest text that is read, in bytes.
    public static let byteCountMax = 256

    /// The expression as it was written, without blanks around it.
    public let description: String
    /// Bit n of each set stands for the value n.
    private let minutes: UInt64
    private let hours: UInt64
    private let daysOfMonth: UInt64
    private let months: UInt64
    private let daysOfWeek: UInt64
    /// Whether a day must match both fields, because one of them begins with `*`.
    private let mustMatchBothDays: Bool

    /// Reads an expression.
    ///
    /// - Throws: `CronError` that names the field and what is wrong with it; one of the code
    ///   `neverOccurs` for the likes of `0 0 31 2 *`.
    public init(parsing text: String) throws(CronError) {
        guard text.utf8.count <= Self.byteCountMax else {
            throw CronError(.shape, "the expression is longer than \(Self.byteCountMax) bytes")
        }
        let words = text.split { $0 == " " || $0 == "\t" }
        description = words.joined(separator: " ")
        let fields = try Self.expand(words)
        guard fields.count == CronField.allCases.count else {
            throw CronError(
                .shape,
                "five fields are needed (minute, hour, day of month, month, day of week), "
                    + "not \(fields.count)")
        }
        minutes = try CronField.minute.parse(fields[0])
        hours = try CronField.hour.parse(fields[1])
        daysOfMonth = try CronField.dayOfMonth.parse(fields[2])
        months = try CronField.month.parse(fields[3])
        daysOfWeek = try CronField.dayOfWeek.parse(fields[4])
        mustMatchBothDays = fields[2].hasPrefix("*") || fields[4].hasPrefix("*")
        guard matchingDay(from: 0, through: CivilDay.cycleDayCount) != nil else {
            throw CronError(
                .neverOccurs, "no date ever matches", field: CronField.dayOfMonth.name)
        }
    }

    /// Names of the IANA database without a slash, from its files `europe`, `northamerica` and
    /// `backward`.
    private static let slashlessNames: Set = [
        "CET", "CST6CDT", "Cuba", "EET", "EST", "EST5EDT", "Egypt", "Eire", "GB", "GB-Eire", "GMT",
        "GMT+0", "GMT-0", "GMT0", "Greenwich", "HST", "Hongkong", "Iceland", "Iran", "Israel",
        "Jamaica", "Japan", "Kwajalein", "Libya", "MET", "MST", "MST7MDT", "NZ", "NZ-CHAT",
        "Navajo", "PRC", "PST8PDT", "Poland", "Portugal", "ROC", "ROK", "Singapore", "Turkey",
        "UCT", "UTC", "Universal", "W-SU", "WET", "Zulu",
    ]

    /// The time zone of an IANA name, such as `Europe/Rome` or `UTC`. Other abbreviations and
    /// offsets (`PST`, `GMT+5`) are none: they do not say when clocks are changed.
    ///
    /// - Throws: `CronError` of the code `unknownTimeZone`.
    public static func timeZone(named name: String) throws(CronError) -> TimeZone {
        let isName =
            slashlessNames.contains(name) || (name.contains("/") && !name.hasPrefix("."))
            || TimeZone.knownTimeZoneIdentifiers.contains(name)
        guard isName, name.utf8.count <= byteCountMax, let zone = TimeZone(identifier: name) else {
            throw CronError(
                .unknownTimeZone,
                "there is no time zone \"\(name)\"; use a name such as Europe/Rome or UTC")
        }
        return zone
    }

    private static func expand(_ words: [Substring]) throws(CronError) -> [Substring] {
        guard let name = words.first, name.hasPrefix("@"), words.count == 1 else { return words }
        let text: Substring
        switch name.lowercased() {
        case "@hourly": text = "0 * * * *"
        case "@daily", "@midnight": text = "0 0 * * *"
        case "@weekly": text = "0 0 * * 0"
        case "@monthly": text = "0 0 1 * *"
        case "@yearly", "@annually": text = "0 0 1 1 *"
        default:
            throw CronError(
                .unknownName,
                "\(name) is not known; use @hourly, @daily, @weekly, @monthly or @yearly")
        }
        return text.split(separator: " ")
    }
}

// MARK: Days and minutes of days

extension CronExpression {
    /// Whether something runs on a day, given in days since 1970-01-01.
    func matches(day number: Int) -> Bool {
        let date = CivilDay(number: number)
        return contains(months, date.month) && matches(date, number)
    }

    /// The first day that matches, in a range of days since 1970-01-01.
    func matchingDay(from first: Int, through last: Int) -> Int? {
        var number = first
        while number <= last {
            let date = CivilDay(number: number)
            if !contains(months, date.month) {
                number = date.firstOfNextMonth.number
            } else if matches(date, number) {
                return number
            } else {
                number += 1
            }
        }
        return nil
    }

    /// The last day that matches, in a range of days since 1970-01-01.
    func matchingDay(from last: Int, downTo first: Int) -> Int? {
        var number = last
        while number >= first {
            let date = CivilDay(number: number)
            if !contains(months, date.month) {
                number -= date.day
            } else if matches(date, number) {
                return number
            } else {
                number -= 1
            }
        }
        return nil
    }

    /// The first minute of a day that matches, from one on; the day itself is not looked at.
    func matchingMinute(from first: Int) -> Int? {
        let (hour, minute) = first.quotientAndRemainder(dividingBy: 60)
        if hour < 24, contains(hours, hour), let minute = Self.first(in: minutes, from: minute) {
            return hour * 60 + minute
        }
        guard let hour = Self.first(in: hours, from: hour + 1),
            let minute = Self.first(in: minutes, from: 0)
        else { return nil }
        return hour * 60 + minute
    }

    /// The last minute of a day that matches, down from one; the day itself is not looked at.
    func matchingMinute(downFrom last: Int) -> Int? {
        let (hour, minute) = last.quotientAndRemainder(dividingBy: 60)
        if contains(hours, hour), let minute = Self.last(in: minutes, downFrom: minute) {
            return hour * 60 + minute
        }
        guard let hour = Self.last(in: hours, downFrom: hour - 1),
            let minute = Self.last(in: minutes, downFrom: 59)
        else { return nil }
        return hour * 60 + minute
    }

    /// The smallest value of a set from one on, which is at most 63 or none is.
    private static func first(in set: UInt64, from value: Int) -> Int? {
        let rest = value < 64 ? set & (UInt64.max << UInt64(value)) : 0
        return rest == 0 ? nil : rest.trailingZeroBitCount
    }

    /// The largest value of a set down from one, which may be -1.
    private static func last(in set: UInt64, downFrom value: Int) -> Int? {
        let rest = set & (1 << UInt64(value + 1) - 1)
        return rest == 0 ? nil : 63 - rest.leadingZeroBitCount
    }

    private func matches(_ date: CivilDay, _ number: Int) -> Bool {
        let isDayOfMonth = contains(daysOfMonth, date.day)
        let isDayOfWeek = contains(daysOfWeek, CivilDay.weekday(of: number))
        return mustMatchBothDays ? isDayOfMonth && isDayOfWeek : isDayOfMonth || isDayOfWeek
    }

    private func contains(_ set: UInt64, _ value: Int) -> Bool { set >> UInt64(value) & 1 == 1 }
}
