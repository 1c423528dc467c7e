/// What there may be at most.
public enum StateLimits {
    /// Bytes of one text, JSON included.
    public static let textByteCountMax = 1 << 20
    /// Entries of one page, whatever limit is asked for.
    public static let pageCountMax = 1000
    /// Events that are kept of one job; the oldest make room.
    public static let jobEventCountMax = 5000
    /// Bytes of a response that is kept with an idempotency key.
    public static let responseByteCountMax = 1 << 20
    /// How long an idempotency key is remembered after it was claimed: a day.
    public static let idempotencyKeyLifetimeMilliseconds: Int64 = 86_400_000

    /// How far in the future an instant may be before it is of a clock that was ahead: five
    /// minutes. Clocks that are set step by less.
    public static let futureMillisecondsMax: Int64 = 300_000
    /// What is written to find out whether anything can be.
    static let probeByteCount = 64 * 1024

    /// How many entries a page has when a caller asks for so many.
    static func pageCount(_ limit: Int) -> Int { min(max(limit, 1), pageCountMax) }
}

/// A text as it may be stored. SQLite, as GRDB uses it, ends a text at the first NUL, and what was
/// asked for would silently be something else.
///
/// - Throws: `StateError(.invalidValue)`.
func storable(_ text: String, as name: String) throws -> String {
    guard text.utf8.count <= StateLimits.textByteCountMax else {
        throw StateError(
            .invalidValue, "\(name) is longer than \(StateLimits.textByteCountMax) bytes")
    }
    guard !text.utf8.contains(0) else {
        throw StateError(.invalidValue, "\(name) holds a NUL character")
    }
    return text
}

/// The same for a text that may be missing.
@_disfavoredOverload
func storable(_ text: String?, as name: String) throws -> String? {
    guard let text else { return nil }
    let checked: String = try storable(text, as: name)
    return checked
}
