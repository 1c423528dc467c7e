internal import CivilCalendar

/// Milliseconds since 1970 UTC and their ISO-8601 spelling, in the proleptic Gregorian calendar.
public enum CalendarTime {
    /// The times that relaxed Extended JSON spells as a calendar date: years 1970 to 9999.
    static let spelledMilliseconds: Range<Int64> = 0..<253_402_300_800_000

    /// `2012-12-24T12:15:30.500Z`, without the fraction when it is zero.
    static func text(milliseconds: Int64) -> String {
        let day = floorDivide(milliseconds, millisecondsPerDay)
        let rest = text(day: Int(day), millisecond: millisecond(of: milliseconds))
        return padded(CivilDay(number: Int(day)).year, 4) + rest
    }

    private static let millisecondsPerDay: Int64 = 86_400_000

    /// What follows the year.
    private static func text(day: Int, millisecond: Int) -> String {
        let date = CivilDay(number: day)
        let second = millisecond / 1000
        let time = [second / 3600, second / 60 % 60, second % 60].map { padded($0, 2) }
        let rest = millisecond % 1000
        let fraction = rest == 0 ? "" : "." + padded(rest, 3)
        return "-\(padded(date.month, 2))-\(padded(date.day, 2))T\(time.joined(separator: ":"))"
            + "\(fraction)Z"
    }

    /// How much of its day has passed: the product of day and length might be beyond all numbers.
    private static func millisecond(of milliseconds: Int64) -> Int {
        let rest = milliseconds % millisecondsPerDay
        return Int(rest < 0 ? rest + millisecondsPerDay : rest)
    }

    /// Any date in one form: `1965-03-04T05:06:07.008Z`. Years before 0 and after 9999 have a sign
    /// and at least six digits, as ISO 8601 and JavaScript have them: `-000043-03-15T00:00:00Z` is
    /// in 44 BC, the year before the year 1 being 0.
    public static func expandedText(milliseconds: Int64) -> String {
        let day = floorDivide(milliseconds, millisecondsPerDay)
        let year = CivilDay(number: Int(day)).year
        guard !(0...9999).contains(year) else { return text(milliseconds: milliseconds) }
        let digits = padded(abs(year), 6)
        let rest = text(day: Int(day), millisecond: millisecond(of: milliseconds))
        return (year < 0 ? "-" : "+") + digits + rest
    }

    /// Reads a date, time and zone such as `2012-12-24T12:15:30.500+0100`; nil for anything else,
    /// digits beyond the millisecond included.
    static func milliseconds(parsing text: String) -> Int64? {
        var rest = Array(text.utf8)[...]
        guard let year = number(4, &rest), skip("-", &rest), let month = number(2, &rest),
            skip("-", &rest), let day = number(2, &rest), skip("T", &rest),
            let hour = number(2, &rest), skip(":", &rest), let minute = number(2, &rest),
            skip(":", &rest), let second = number(2, &rest),
            let fraction = fraction(&rest), let offset = zoneMinutes(&rest), rest.isEmpty,
            hour < 24, minute < 60, second < 60
        else { return nil }
        let date = CivilDay(year: year, month: month, day: day)
        guard date.exists else { return nil }
        let minutes = (date.number * 24 + hour) * 60 + minute - offset
        return Int64((minutes * 60 + second) * 1000 + fraction)
    }

    // MARK: Digits

    private static func padded(_ number: Int, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }

    private static func number(_ width: Int, _ text: inout ArraySlice<UInt8>) -> Int? {
        let digits = text.prefix(width)
        guard digits.count == width,
            digits.allSatisfy((UInt8(ascii: "0")...UInt8(ascii: "9")).contains)
        else { return nil }
        text = text.dropFirst(width)
        return digits.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
    }

    private static func skip(_ mark: Unicode.Scalar, _ text: inout ArraySlice<UInt8>) -> Bool {
        guard text.first == UInt8(ascii: mark) else { return false }
        text.removeFirst()
        return true
    }

    private static func fraction(_ text: inout ArraySlice<UInt8>) -> Int? {
        guard skip(".", &text) else { return 0 }
        for width in [3, 2, 1] {
            guard let digits = number(width, &text) else { continue }
            return digits * [100, 10, 1][width - 1]
        }
        return nil
    }

    private static func zoneMinutes(_ text: inout ArraySlice<UInt8>) -> Int? {
        if skip("Z", &text) { return 0 }
        let isEast = skip("+", &text)
        guard isEast || skip("-", &text), let hours = number(2, &text) else { return nil }
        _ = skip(":", &text)
        guard let minutes = number(2, &text), hours < 24, minutes < 60 else { return nil }
        return (isEast ? 1 : -1) * (hours * 60 + minutes)
    }
}
