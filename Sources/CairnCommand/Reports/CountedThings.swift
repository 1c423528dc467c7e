internal import ArchiveFormat
internal import Snapshots

/// What a job was about, counted by what it is: documents, buckets of time series, users and roles;
/// collections, time series and views.
struct CountedThings {
    private var units: [StoredUnit: UInt64] = [:]
    private var changeCount: UInt64 = 0
    private var collectionCount: UInt64 = 0
    private var timeSeriesCount: UInt64 = 0
    private var viewCount: UInt64 = 0
    private var measurementCount: UInt64?

    /// Adds a namespace.
    ///
    /// - Parameters:
    ///   - count: documents, whatever they are.
    ///   - measurements: those in the buckets of a time series; nil where they were not counted.
    mutating func add(
        _ namespace: Namespace, _ type: NamespaceType, count: UInt64, measurements: UInt64? = nil
    ) {
        guard namespace != NamespaceDescriptor.oplog.namespace else {
            changeCount += count
            return
        }
        switch type {
        case .view: viewCount += 1
        case .timeseries: timeSeriesCount += 1
        default: collectionCount += 1
        }
        guard let unit = StoredUnit(namespace, type) else { return }
        units[unit] = [units[unit, default: 0], count].clampedSum()
        if let measurements, unit == .bucket {
            measurementCount = [measurementCount ?? 0, measurements].clampedSum()
        }
    }

    /// Adds all of a manifest.
    mutating func add(_ manifest: Manifest) {
        for entry in manifest.namespaces {
            add(
                entry.descriptor.namespace, entry.descriptor.type,
                count: entry.totals.documentCount)
        }
    }

    /// Such as `1,200 documents, 12 buckets (340 measurements) and 3 users`.
    var documents: String {
        var parts = StoredUnit.allCases.compactMap { unit -> String? in
            guard let count = units[unit], count > 0 || unit == .document else { return nil }
            let text = Formatting.count(count, unit.rawValue)
            guard unit == .bucket, let measurementCount else { return text }
            return "\(text) (\(Formatting.count(measurementCount, "measurement")))"
        }
        if changeCount > 0 { parts.append("\(Formatting.count(changeCount, "change"))") }
        return parts.isEmpty ? Formatting.count(0, "document") : Self.joined(parts)
    }

    /// Such as `4 collections, 1 time series and 2 views`.
    var namespaces: String {
        var parts: [String] = []
        let isOnly = timeSeriesCount == 0 && viewCount == 0
        if collectionCount > 0 || isOnly {
            parts.append(Formatting.count(collectionCount, "collection"))
        }
        if timeSeriesCount > 0 { parts.append("\(Formatting.count(timeSeriesCount)) time series") }
        if viewCount > 0 { parts.append(Formatting.count(viewCount, "view")) }
        return Self.joined(parts)
    }

    private static func joined(_ parts: [String]) -> String {
        guard let last = parts.last, parts.count > 1 else { return parts.first ?? "" }
        return parts.dropLast().joined(separator: ", ") + " and " + last
    }
}
