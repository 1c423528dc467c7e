internal import ArchiveFormat
internal import BSONBytes

/// Counts the measurements in the buckets of a time series: what its users store, and what a server
/// keeps many of in one document.
struct MeasurementCount: Sendable {
    private let timeField: String

    /// - Returns: nil for what is no time series.
    init?(_ descriptor: NamespaceDescriptor) throws {
        guard descriptor.type == .timeseries,
            let options = try descriptor.options.first("timeseries")?.document,
            let timeField = try options.first("timeField")?.string
        else { return nil }
        self.timeField = timeField
    }

    /// How many there are.
    ///
    /// - Parameter buckets: whole documents, one after another.
    /// - Throws: `BSONError` for a document that is damaged.
    func count(_ buckets: ArraySlice<UInt8>) throws -> UInt64 {
        try DocumentRun.split(buckets).reduce(0) { sum, bucket in
            try sum + count(in: BSONDocument(validating: Array(bucket)))
        }
    }

    /// A compressed bucket says how many it has; of any other each measurement has a time.
    private func count(in bucket: BSONDocument) throws -> UInt64 {
        if let count = try bucket.first("control")?.document?.first("count")?.wholeNumber {
            // Whatever it says, there are not more than bytes.
            return UInt64(max(0, min(Int64(count), Int64(bucket.bytes.count))))
        }
        let times = try bucket.first("data")?.document?.first(timeField)?.document
        return UInt64(try times?.elements().count ?? 0)
    }
}
