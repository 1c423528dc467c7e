import CivilCalendar
import Testing

@Suite struct CivilDayTests {
    /// Day by day through a whole cycle and beyond, by the lengths of months.
    @Test func daysFollowEachOther() {
        var date = CivilDay(year: -400, month: 1, day: 1)
        for number in date.number..<(date.number + 2 * CivilDay.cycleDayCount) {
            #expect(CivilDay(number: number) == date)
            #expect(date.number == number && date.exists)
            let next = CivilDay(year: date.year, month: date.month, day: date.day + 1)
            date = next.exists ? next : date.firstOfNextMonth
        }
        #expect(date == CivilDay(year: 400, month: 1, day: 1))
    }

    @Test(arguments: [
        (1970, 1, 1, 0), (1969, 12, 31, -1), (2000, 2, 29, 11_016), (1900, 3, 1, -25_508),
        (0, 1, 1, -719_528), (9999, 12, 31, 2_932_896),
    ])
    func knownDaysHaveTheirNumbers(_ year: Int, _ month: Int, _ day: Int, _ number: Int) {
        #expect(CivilDay(year: year, month: month, day: day).number == number)
    }

    @Test(arguments: [
        (2026, 2, 29), (1900, 2, 29), (2026, 4, 31), (2026, 13, 1), (2026, 0, 1), (2026, 1, 0),
        (2026, 1, 32), (2026, -1, 1),
    ])
    func whatTheCalendarLacksDoesNotExist(_ year: Int, _ month: Int, _ day: Int) {
        #expect(!CivilDay(year: year, month: month, day: day).exists)
    }

    @Test func weeksGoOn() {
        #expect(CivilDay.weekday(of: 0) == 4)
        #expect(CivilDay.weekday(of: -4) == 0 && CivilDay.weekday(of: -5) == 6)
    }

    @Test func quotientsAreRoundedDown() {
        #expect(floorDivide(-1, 1000) == -1 && floorDivide(-1000, 1000) == -1)
        #expect(
            floorDivide(999, 1000) == 0 && floorDivide(Int64.min, 1000) == -9_223_372_036_854_776)
    }
}
