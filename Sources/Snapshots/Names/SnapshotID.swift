internal import CivilCalendar

/// The name of a snapshot: when it was begun (UTC), of what kind it is, and six random digits, such
/// as `20261123T084512Z-manual-3f9a1c`. Names sort by time.
public struct SnapshotID: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let description: String

    /// The kind of what a restore backs up before it replaces it: older than what it stands
    /// beside, and only a part, so that it is never the latest backup.
    public static let preRestoreKind = "pre_restore"
    /// The kind of what was made of another tool's archive.
    static let indexedKind = "indexed"
    /// The kind of what could be saved of a damaged archive.
    static let salvagedKind = "salvaged"
    /// Kinds of snapshots that are no backups of their own.
    static let derivedKinds = [indexedKind, salvagedKind, preRestoreKind]

    /// Makes a new name.
    ///
    /// - Parameters:
    ///   - milliseconds: since 1970 UTC.
    ///   - kind: lowercase letters, digits and underscores, such as "manual".
    ///   - random: its lowest 24 bits are used.
    public init(milliseconds: Int64, kind: String, random: UInt64) {
        let hexadecimal = String(random & 0xFF_FFFF | 0x100_0000, radix: 16).dropFirst()
        description = "\(CalendarDate(milliseconds: milliseconds).compact)-\(kind)-\(hexadecimal)"
    }

    /// Takes a name that has the form of one; nil for anything else.
    public init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0].count == 16, parts[0].hasSuffix("Z"),
            parts[2].count == 6, parts[2].allSatisfy(\.isHexDigit), Self.isKind(parts[1])
        else { return nil }
        description = String(text)
    }

    /// The second that it was begun in, such as `20261123T084512Z`.
    public var moment: Substring { description.prefix { $0 != "-" } }

    /// When it was begun, in milliseconds since 1970 UTC; nil for what is no date.
    var milliseconds: Int64? { CalendarDate.milliseconds(compact: moment) }

    /// The word for what it is, such as "manual".
    public var kind: String {
        String(description.split(separator: "-", omittingEmptySubsequences: false)[1])
    }

    /// Whether a word can be the kind in a name.
    public static func isKind(_ word: some StringProtocol) -> Bool {
        !word.isEmpty && word.count <= 32
            && word.utf8.allSatisfy { byte in
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                    || byte == UInt8(ascii: "_")
            }
    }

    public static func < (left: SnapshotID, right: SnapshotID) -> Bool {
        left.description < right.description
    }
}

/// A moment as people read it, in UTC.
public struct CalendarDate: Sendable, CustomStringConvertible {
    private let date: CivilDay
    private let hour: Int, minute: Int, second: Int

    /// Months since the year 0.
    var monthNumber: Int { date.year * 12 + date.month - 1 }

    /// - Parameter milliseconds: since 1970 UTC.
    public init(milliseconds: Int64) {
        let seconds = Int(floorDivide(milliseconds, 1000))
        let days = floorDivide(seconds, 86_400)
        let rest = seconds - days * 86_400
        (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60)
        date = CivilDay(number: days)
    }

    /// `20261123T084512Z`.
    public var compact: String {
        "\(Self.digits(date.year, 4))\(Self.digits(date.month))\(Self.digits(date.day))"
            + "T\(Self.digits(hour))\(Self.digits(minute))\(Self.digits(second))Z"
    }

    /// `2026-11-23T08:45:12Z`.
    public var description: String {
        "\(Self.digits(date.year, 4))-\(Self.digits(date.month))-\(Self.digits(date.day))"
            + "T\(Self.digits(hour)):\(Self.digits(minute)):\(Self.digits(second))Z"
    }

    private static func digits(_ number: Int, _ count: Int = 2) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, count - text.count)) + text
    }
}
