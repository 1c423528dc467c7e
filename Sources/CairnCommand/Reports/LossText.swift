internal import ArchiveFormat

/// What a salvaged snapshot lacks.
struct LossText {
    private let loss: Manifest.Loss

    /// Nil for a whole snapshot.
    init?(_ loss: Manifest.Loss?) {
        guard let loss else { return nil }
        self.loss = loss
    }

    /// A clause for people.
    var sentence: String {
        var parts: [String] = []
        if loss.chunkCount > 0 {
            parts.append("\(Formatting.count(UInt64(loss.chunkCount), "chunk"))")
        }
        if let count = loss.documentCount { parts.append(Formatting.count(count, "document")) }
        let known = parts.isEmpty ? "" : ": \(parts.joined(separator: ", ")) are gone"
        return "salvaged, not complete" + known
            + (loss.mayBeMore ? "; how much is gone in all is unknown" : "")
    }
}
