internal import Operations
internal import PrometheusMetrics
internal import Synchronization

/// Reads the values of one source for monitors. A source that hangs, such as a file system of
/// another machine, holds up no answer: it is left to itself, and read again when it has ended.
final class GaugeReading: Sendable {
    /// How long a source may take. Monitors give all of an answer ten seconds.
    private static let limit = Duration.seconds(3)

    private let source: ServiceStatistics.Source
    private let log: ServiceLog
    private let isReading = Mutex(false)

    init(_ source: ServiceStatistics.Source, _ log: ServiceLog) {
        self.source = source
        self.log = log
    }

    /// The values, and whether they could be read.
    func samples() async -> [Sample] {
        let values = await values()
        let isReadable = Sample(
            "cairn_metrics_source_up", value: values == nil ? 0 : 1,
            labels: ["source": source.name],
            help: "Whether the values that come from there could be read for this answer.")
        return [isReadable]
            + (values ?? []).map {
                Sample($0.name, value: $0.value, labels: $0.labels, help: $0.help)
            }
    }

    /// Nil when they can't be read in time.
    private func values() async -> [MonitoredValue]? {
        let mayRead = isReading.withLock { isReading in
            defer { isReading = true }
            return !isReading
        }
        guard mayRead else { return nil }
        let (results, input) = AsyncStream.makeStream(of: [MonitoredValue]?.self)
        // No child: a task waits for those, however long they take.
        Task { [self] in
            do {
                input.yield(try await source.read())
            } catch {
                log.failed("metrics of the \(source.name) can't be read", job: nil, error)
                input.yield(nil)
            }
            isReading.withLock { $0 = false }
        }
        let timer = Task {
            try await Task.sleep(for: Self.limit)
            log.noticed(
                "metrics of the \(source.name) could not be read within \(Self.limit)", job: nil)
            input.finish()
        }
        defer { timer.cancel() }
        for await result in results { return result }
        return nil
    }
}
