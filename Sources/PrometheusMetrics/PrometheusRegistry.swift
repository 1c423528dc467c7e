public import CoreMetrics
internal import Synchronization

/// A backend for swift-metrics that writes what it was told in Prometheus's text format.
///
/// | in swift-metrics | in Prometheus | name |
/// |---|---|---|
/// | `Counter`, `FloatingPointCounter` | counter | with `_total` behind it |
/// | `Gauge`, `Meter`, `Recorder` that does not aggregate | gauge | as it is |
/// | `Recorder` | histogram | as it is |
/// | `Timer` | histogram in seconds | with `_seconds` behind it |
///
/// Everything but letters and digits in a name becomes `_`. Series are bounded in number: one that
/// is too many, or whose name belongs to a metric of another kind, is taken and thrown away, and
/// counted in `prometheus_registry_series_dropped_total`. It may be used by any number of tasks.
public final class PrometheusRegistry: MetricsFactory {
    /// What a registry may be told.
    public struct Options: Sendable {
        /// For timers, in seconds.
        public var timerBuckets = HistogramBuckets.seconds
        /// For recorders that aggregate.
        public var recorderBuckets = HistogramBuckets.values
        /// For single timers and recorders, by their label.
        public var bucketsByLabel: [String: HistogramBuckets] = [:]
        /// Series of all metrics together, a histogram counted as one; and samples of collectors.
        public var seriesCountMax = 10_000

        /// The defaults.
        public init() {}
    }

    /// Reads values when metrics are scraped. Called once for each scrape, by the task that writes
    /// it.
    public typealias Collector = @Sendable () async -> [Sample]

    struct State {
        var families: [String: Family] = [:]
        /// Which family each sample line's name belongs to.
        var owners: [String: String] = [:]
        var seriesCount = 0
        var help: [String: String] = [:]
        var collectors: [Collector] = []
    }

    /// What an HTTP response with the text says that it is.
    public static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    let options: Options
    let state = Mutex(State())
    let droppedSeries = CounterSeries()
    let droppedObservations = CounterSeries()

    /// A registry without metrics.
    public init(options: Options = Options()) {
        self.options = options
    }

    /// Says what a metric tells, for its `HELP` line; before or after it is first used.
    ///
    /// - Parameter label: as swift-metrics was told it.
    public func describe(_ label: String, as help: String) {
        state.withLock { $0.help[MetricName.metric(label)] = help }
    }

    /// Adds values that are read when metrics are scraped.
    public func addCollector(_ collector: @escaping Collector) {
        state.withLock { $0.collectors.append(collector) }
    }

    /// A counter, the same one for the same label and dimensions.
    public func makeCounter(
        label: String, dimensions: [(String, String)]
    ) -> any CounterHandler {
        series(label, dimensions, .counter) { CounterSeries() }
    }

    /// A counter, the same one for the same label and dimensions.
    public func makeFloatingPointCounter(
        label: String, dimensions: [(String, String)]
    ) -> any FloatingPointCounterHandler {
        series(label, dimensions, .counter) { CounterSeries() }
    }

    /// A gauge, the same one for the same label and dimensions.
    public func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        series(label, dimensions, .gauge) { GaugeSeries() }
    }

    /// A histogram, or a gauge when it does not aggregate; the same for the same label and
    /// dimensions.
    public func makeRecorder(
        label: String, dimensions: [(String, String)], aggregate: Bool
    ) -> any RecorderHandler {
        guard aggregate else { return series(label, dimensions, .gauge) { GaugeSeries() } }
        let buckets = options.bucketsByLabel[label] ?? options.recorderBuckets
        return series(label, dimensions, .histogram, buckets) {
            HistogramSeries(buckets, dropped: droppedObservations)
        }
    }

    /// A histogram in seconds, the same one for the same label and dimensions.
    public func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        let buckets = options.bucketsByLabel[label] ?? options.timerBuckets
        return series(label, dimensions, .histogram, buckets, suffix: "_seconds") {
            HistogramSeries(buckets, dropped: droppedObservations)
        }
    }

    /// Forgets it; who still has one with its label and dimensions adds to nothing.
    public func destroyCounter(_ handler: any CounterHandler) { forget(handler) }
    /// Forgets it; who still has one with its label and dimensions adds to nothing.
    public func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) {
        forget(handler)
    }
    /// Forgets it; who still has one with its label and dimensions adds to nothing.
    public func destroyMeter(_ handler: any MeterHandler) { forget(handler) }
    /// Forgets it; who still has one with its label and dimensions adds to nothing.
    public func destroyRecorder(_ handler: any RecorderHandler) { forget(handler) }
    /// Forgets it; who still has one with its label and dimensions adds to nothing.
    public func destroyTimer(_ handler: any TimerHandler) { forget(handler) }
}

/// A name with an ending that it may have already.
func named(_ label: String, suffix: String) -> String {
    let name = MetricName.metric(label)
    return name.hasSuffix(suffix) ? name : name + suffix
}
