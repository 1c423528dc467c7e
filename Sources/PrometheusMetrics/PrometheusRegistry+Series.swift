internal import Synchronization

extension PrometheusRegistry {
    /// The series of that metric and these labels: the one there is, a new one, or one that nobody
    /// reads when there is no room or the name is another kind's.
    func series<Made: Series>(
        _ label: String, _ dimensions: [(String, String)], _ kind: Family.Kind,
        _ buckets: HistogramBuckets? = nil, suffix: String = "", make: () -> Made
    ) -> Made {
        let name = named(label, suffix: kind == .counter ? "_total" : suffix)
        let labels = MetricName.labels(dimensions)
        let found = state.withLock { state -> Made? in
            guard !Self.ownNames.contains(name) else { return nil }
            if let known = state.families[name]?.series[labels] { return known as? Made }
            guard state.seriesCount < options.seriesCountMax,
                state.claim(name, kind, buckets, help: label)
            else { return nil }
            let made = make()
            state.families[name]?.series[labels] = made
            state.seriesCount += 1
            return made
        }
        if let found { return found }
        droppedSeries.increment()
        return make()
    }

    /// Takes a series out, if it is in.
    func forget(_ handler: AnyObject) {
        state.withLock { state in
            for (name, family) in state.families {
                guard let labels = family.series.first(where: { $0.value === handler })?.key else {
                    continue
                }
                state.families[name]?.series[labels] = nil
                state.seriesCount -= 1
                if family.series.count == 1 { state.release(name, family.kind) }
                return
            }
        }
    }
}

extension PrometheusRegistry.State {
    /// Makes sure that there is a family of that name and kind; false when a name is taken.
    mutating func claim(
        _ name: String, _ kind: Family.Kind, _ buckets: HistogramBuckets?, help: String
    ) -> Bool {
        if let family = families[name] { return family.kind == kind && family.buckets == buckets }
        let names = Family.names(name, kind)
        guard names.allSatisfy({ owners[$0] == nil }) else { return false }
        for line in names { owners[line] = name }
        families[name] = Family(kind: kind, help: help, buckets: buckets)
        return true
    }

    /// Gives the names of a family without series back.
    fileprivate mutating func release(_ name: String, _ kind: Family.Kind) {
        families[name] = nil
        for line in Family.names(name, kind) { owners[line] = nil }
    }
}
