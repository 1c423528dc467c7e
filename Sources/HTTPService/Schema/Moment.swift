internal import Foundation

/// Moments as requests spell them: ISO 8601 in UTC, with `Z`.
enum Moment {
    private static let secondsByteCount = "2024-01-01T00:00:00".utf8.count

    /// The moment in milliseconds since 1970 UTC; nil for a day or an hour that there is not, as
    /// the 30th of February, which Foundation would take for one in March.
    static func milliseconds(_ text: String) -> Int64? {
        let style = Date.ISO8601FormatStyle(includingFractionalSeconds: text.contains("."))
        do {
            let date = try style.parse(text)
            let again = date.formatted(.iso8601)
            guard again.prefix(secondsByteCount) == text.prefix(secondsByteCount) else {
                return nil
            }
            return Int64((date.timeIntervalSince1970 * 1000).rounded())
        } catch {
            return nil
        }
    }
}
