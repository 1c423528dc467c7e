internal import Synchronization

extension PrometheusRegistry {
    /// All metrics as text, collectors asked first, one after the other. The same values always
    /// make the same text.
    public func text() async -> String {
        var samples: [Sample] = []
        for collector in state.withLock({ $0.collectors }) {
            samples += await collector()
        }
        let (snapshots, owners) = state.withLock { state in
            (state.families.map { snapshot($0, $1, help: state.help) }, state.owners)
        }
        let collected = snapshotsOf(samples, owners: owners)
        return Exposition.text(snapshots + collected + ownSnapshots())
    }

    private func snapshot(
        _ name: String, _ family: Family, help: [String: String]
    ) -> Exposition.Snapshot {
        Exposition.Snapshot(
            name: name, kind: family.kind,
            help: help[MetricName.metric(family.help)] ?? family.help,
            bounds: family.buckets?.upperBounds ?? [],
            readings: family.series.map { (labels: $0, reading: $1.read()) })
    }

    /// What collectors have, by metric. A value that is there already, or whose metric belongs to
    /// another kind, would make Prometheus refuse all of it; so it is left out and counted.
    private func snapshotsOf(
        _ samples: [Sample], owners: [String: String]
    ) -> [Exposition.Snapshot] {
        var families: [String: Exposition.Snapshot] = [:]
        var seen: Set<String> = []
        for sample in samples {
            let kind: Family.Kind = sample.kind == .counter ? .counter : .gauge
            let name = named(sample.name, suffix: kind == .counter ? "_total" : "")
            let labels = MetricName.labels(sample.labels.sorted { $0.key < $1.key })
            let isKept =
                owners[name] == nil && !Self.ownNames.contains(name)
                && (families[name]?.kind ?? kind) == kind && seen.count < options.seriesCountMax
                && seen.insert("\(name){\(labels)}").inserted
            guard isKept else {
                droppedSeries.increment()
                continue
            }
            let help = sample.help.isEmpty ? sample.name : sample.help
            families[
                name, default: Exposition.Snapshot(name: name, kind: kind, help: help, readings: [])
            ].readings.append((labels, .number(Exposition.text(sample.value))))
        }
        return Array(families.values)
    }

    private static let droppedSeriesName = "prometheus_registry_series_dropped_total"
    private static let droppedObservationsName = "prometheus_registry_observations_dropped_total"
    static let ownNames: Set<String> = [droppedSeriesName, droppedObservationsName]

    /// What the registry could not take.
    private func ownSnapshots() -> [Exposition.Snapshot] {
        [
            Exposition.Snapshot(
                name: Self.droppedSeriesName, kind: .counter,
                help: "Series that were left out",
                readings: [("", droppedSeries.read())]),
            Exposition.Snapshot(
                name: Self.droppedObservationsName, kind: .counter,
                help: "Observations not taken",
                readings: [("", droppedObservations.read())]),
        ]
    }
}
