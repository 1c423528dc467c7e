/// A day of the proleptic Gregorian calendar, for conversion from and to days since 1970-01-01.
///
/// Both ways are Howard Hinnant's: years that begin in March, so that the leap day is the last, in
/// eras of 400 years, which are 146,097 days each.
public struct CivilDay: Hashable, Sendable {
    /// Days in 400 years: a whole number of weeks, so that dates and weekdays repeat.
    public static let cycleDayCount = 146_097

    /// The year; that before the year 1 is 0.
    public let year: Int
    /// 1 for January to 12.
    public let month: Int
    /// From 1 on.
    public let day: Int

    /// A day by its date; days beyond the month's end are days of the next.
    public init(year: Int, month: Int, day: Int) {
        self.year = year
        self.month = month
        self.day = day
    }

    /// The day so many days after 1970-01-01.
    public init(number: Int) {
        let shifted = number + 719_468
        let era = floorDivide(shifted, Self.cycleDayCount)
        let dayOfEra = shifted - era * Self.cycleDayCount
        let yearOfEra =
            (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }

    /// Days since 1970-01-01.
    public var number: Int {
        let shiftedYear = month <= 2 ? year - 1 : year
        let era = floorDivide(shiftedYear, 400)
        let yearOfEra = shiftedYear - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * Self.cycleDayCount + dayOfEra - 719_468
    }

    /// Whether the calendar has it: not the 30th of February.
    public var exists: Bool { (1...12).contains(month) && CivilDay(number: number) == self }

    /// The first day of the month after this one.
    public var firstOfNextMonth: CivilDay {
        month == 12
            ? CivilDay(year: year + 1, month: 1, day: 1)
            : CivilDay(year: year, month: month + 1, day: 1)
    }

    /// 0 for Sunday to 6 for Saturday, of a day since 1970-01-01, which was a Thursday.
    public static func weekday(of number: Int) -> Int {
        number + 4 - floorDivide(number + 4, 7) * 7
    }
}

/// The quotient, rounded down for negative numbers too.
public func floorDivide<Number: BinaryInteger>(_ dividend: Number, _ divisor: Number) -> Number {
    let (quotient, remainder) = dividend.quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? quotient - 1 : quotient
}
