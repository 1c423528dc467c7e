/// Milliseconds since 1970 UTC and their ISO-8601 spelling, in the proleptic Gregorian calendar.
public enum CalendarTime {
    /// The times that relaxed Extended JSON spells as a calendar date: years 1970 to 9999.
    static let spelledMilliseconds: Range<Int64> = 0..<253_402_300_800_000

    /// `2012-12-24T12:15:30.500Z`, without the fraction when it is zero.
    static func text(milliseconds: Int64) -> String {
        let day = floorDivide(milliseconds, millisecondsPerDay)
        let rest = text(day: Int(day), millisecond: millisecond(of: milliseconds))
        return padded(date(day: Int(day)).year, 4) + rest
    }

    private static let millisecondsPerDay: Int64 = 86_400_000

    /// What follows the year.
    private static func text(day: Int, millisecond: Int) -> String {
        let (_, month, dayOfMonth) = date(day: day)
        let second = millisecond / 1000
        let time = [second / 3600, second / 60 % 60, second % 60].map { padded($0, 2) }
        let rest = millisecond % 1000
        let fraction = rest == 0 ? "" : "." + padded(rest, 3)
        return "-\(padded(month, 2))-\(padded(dayOfMonth, 2))T\(time.joined(separator: ":"))"
            + "\(fraction)Z"
    }

    /// How much of its day has passed: the product of day and length might be beyond all numbers.
    private static func millisecond(of milliseconds: Int64) -> Int {
        let rest = milliseconds % millisecondsPerDay
        return Int(rest < 0 ? rest + millisecondsPerDay : rest)
    }

    private static func floorDivide(_ dividend: Int64, _ divisor: Int64) -> Int64 {
        dividend / divisor - (dividend % divisor < 0 ? 1 : 0)
    }

    /// Any date in one form: `1965-03-04T05:06:07.008Z`. Years before 0 and after 9999 have a sign
    /// and at least six digits, as ISO 8601 and JavaScript have them: `-000043-03-15T00:00:00Z` is
    /// in 44 BC, the year before the year 1 being 0.
    public static func expandedText(milliseconds: Int64) -> String {
        let day = floorDivide(milliseconds, millisecondsPerDay)
        let (year, _, _) = date(day: Int(day))
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
            hour < 24, minute < 60, second < 60, (1...12).contains(month),
            let days = dayNumber(year, month, day)
        else { return nil }
        let minutes = (days * 24 + hour) * 60 + minute - offset
        return Int64((minutes * 60 + second) * 1000 + fraction)
    }

    // MARK: Days (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms")

    private static func date(day: Int) -> (year: Int, month: Int, day: Int) {
        let shifted = day + 719_468
        let era = Int(floorDivide(Int64(shifted), 146_097))
        let dayOfEra = shifted - era * 146_097
        let yearOfEra =
            (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        let dayOfMonth = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        return (era * 400 + yearOfEra + (month <= 2 ? 1 : 0), month, dayOfMonth)
    }

    /// Days since 1970-01-01; nil when the month has no such day.
    private static func dayNumber(_ year: Int, _ month: Int, _ day: Int) -> Int? {
        let isLeap = year.isMultiple(of: 4) && !year.isMultiple(of: 100) || year.isMultiple(of: 400)
        let lengths = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        guard (1...lengths[month - 1]).contains(day) else { return nil }
        // Whole years before this one, counted from year 0 so that nothing is negative.
        let leapDays = year == 0 ? 0 : (year - 1) / 4 - (year - 1) / 100 + (year - 1) / 400 + 1
        let daysBefore = year * 365 + leapDays + lengths.prefix(month - 1).reduce(0, +)
        return daysBefore + day - 1 - 719_528
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
