internal import ArgumentParser

/// A time as it is written on the command line: `90s`, `15m`, `24h`, `7d`.
struct TimeSpan: Sendable, Hashable {
    private static let units: [Character: Int64] = ["s": 1, "m": 60, "h": 3600, "d": 86400]
    /// Ten years: more is a typing error.
    private static let secondsMax: Int64 = 3660 * 86400

    let seconds: Int64

    init(seconds: Int64) {
        self.seconds = seconds
    }

    /// Nil for what is no such time.
    init?(_ text: String) {
        guard let unit = text.last.flatMap({ Self.units[$0] }), let count = Int64(text.dropLast()),
            (0...Self.secondsMax / unit).contains(count)
        else { return nil }
        seconds = count * unit
    }
}

extension TimeSpan: ExpressibleByArgument {
    init?(argument: String) {
        self.init(argument)
    }

    var defaultValueDescription: String {
        let unit = Self.units.filter { seconds % $0.value == 0 }.max { $0.value < $1.value }
        return unit.map { "\(seconds / $0.value)\($0.key)" } ?? "\(seconds)s"
    }
}
