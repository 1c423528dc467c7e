import Foundation

/// Instants as text, for tests that can be read.
enum Moment {
    /// Milliseconds since 1970 of a time with its offset, such as `2026-01-01T00:00:00+01:00`; 0,
    /// which no test expects, for text that is none.
    static func milliseconds(_ text: String) -> Int64 {
        let date = ISO8601DateFormatter().date(from: text)
        return Int64((date?.timeIntervalSince1970 ?? 0) * 1000)
    }
}
