internal import CoreMetrics
internal import Synchronization

/// What a series has to say when metrics are scraped.
enum Reading: Equatable {
    case number(String)
    /// Counts of each bucket, the last one for what is above all bounds.
    case histogram(counts: [UInt64], sum: Double)
}

/// The values of one metric with certain labels. All may be used by any number of tasks at once.
protocol Series: AnyObject, Sendable {
    /// The values now.
    func read() -> Reading
}

/// Counts up. Whole numbers are exact as far as 64 bits go and stay there.
final class CounterSeries: Series, CounterHandler, FloatingPointCounterHandler {
    private struct Value {
        var whole: Int64 = 0
        var fraction: Double = 0
    }

    private let value = Mutex(Value())

    func increment(by amount: Int64) {
        guard amount > 0 else { return }
        value.withLock {
            let (sum, hasOverflown) = $0.whole.addingReportingOverflow(amount)
            $0.whole = hasOverflown ? .max : sum
        }
    }

    /// By one.
    func increment() { increment(by: Int64(1)) }

    /// Amounts that are not finite or not positive are read over.
    func increment(by amount: Double) {
        guard amount.isFinite, amount > 0 else { return }
        value.withLock { $0.fraction += amount }
    }

    func reset() {
        value.withLock { $0 = Value() }
    }

    func read() -> Reading {
        let value = value.withLock { $0 }
        guard value.fraction != 0 else { return .number("\(value.whole)") }
        return .number(Exposition.text(Double(value.whole) + value.fraction))
    }
}

/// Holds the last value: of a meter, a gauge, or a recorder that does not aggregate.
final class GaugeSeries: Series, MeterHandler, RecorderHandler {
    private let value = Mutex(0.0)

    func set(_ value: Int64) { self.value.withLock { $0 = Double(value) } }
    func set(_ value: Double) { self.value.withLock { $0 = value } }
    func record(_ value: Int64) { set(value) }
    func record(_ value: Double) { set(value) }
    func increment(by amount: Double) { value.withLock { $0 += amount } }
    func decrement(by amount: Double) { value.withLock { $0 -= amount } }

    func read() -> Reading {
        .number(Exposition.text(value.withLock { $0 }))
    }
}

/// Counts observations by buckets: of a timer, in seconds, or of a recorder.
final class HistogramSeries: Series, RecorderHandler, TimerHandler {
    private struct Value {
        var counts: [UInt64]
        var sum: Double = 0
    }

    private let buckets: HistogramBuckets
    private let dropped: CounterSeries
    private let value: Mutex<Value>

    /// - Parameter dropped: counts observations that cannot be taken.
    init(_ buckets: HistogramBuckets, dropped: CounterSeries) {
        self.buckets = buckets
        self.dropped = dropped
        value = Mutex(
            Value(counts: [UInt64](repeating: 0, count: buckets.upperBounds.count + 1)))
    }

    func record(_ value: Int64) { record(Double(value)) }

    /// What is not finite is counted as dropped: it would make the sum useless for good.
    func record(_ value: Double) {
        guard value.isFinite else { return dropped.increment() }
        let bounds = buckets.upperBounds
        let index = bounds.firstIndex { value <= $0 } ?? bounds.count
        self.value.withLock {
            $0.counts[index] += 1
            $0.sum += value
        }
    }

    /// Negative durations are counted as dropped, too: a clock was set back.
    func recordNanoseconds(_ duration: Int64) {
        guard duration >= 0 else { return dropped.increment() }
        record(Double(duration) / 1e9)
    }

    func read() -> Reading {
        value.withLock { .histogram(counts: $0.counts, sum: $0.sum) }
    }
}
