internal import Snapshots

/// How a job's progress reads, as a bar or as a sentence: a pure function of what is known.
struct ProgressLine {
    /// What the job last told.
    let progress: JobProgress
    /// Since its phase began.
    let seconds: Double

    private static let barColumnCount = 24

    /// A line for a terminal, at most so many columns wide. What does not fit is left out, the
    /// least important first.
    func bar(columnCount: Int) -> String {
        guard isCounting else {
            return fitting([title, subject, elapsed], columnCount)
        }
        let parts = [title, drawnBar, percent, documents, rate, documentRate, timeToGo, subject]
        return fitting(parts, columnCount)
    }

    /// A line for a log.
    var sentence: String {
        guard isCounting else {
            return [title, subject].compactMap(\.self).joined(separator: " ")
        }
        return [title, percent, documents, rate, documentRate, timeToGo, subject]
            .compactMap(\.self).joined(separator: ", ")
    }

    /// How much is done, 0 to 1; nil when the whole is unknown. A total may be an estimate, so the
    /// end is never announced before it is there.
    var fraction: Double? {
        guard let total = progress.byteCountTotal, total > 0 else { return nil }
        return min(Double(progress.byteCount) / Double(total), 0.99)
    }

    private var isCounting: Bool {
        progress.documentCount > 0 || progress.byteCount > 0 || progress.byteCountTotal != nil
    }

    private var title: String { progress.phase.rawValue }

    private var drawnBar: String? {
        guard let fraction else { return nil }
        let filled = Int(fraction * Double(Self.barColumnCount))
        return "[" + String(repeating: "#", count: filled)
            + String(repeating: "-", count: Self.barColumnCount - filled) + "]"
    }

    private var percent: String? { fraction.map { "\(Int($0 * 100)) %" } }

    private var documents: String? { Formatting.count(progress.documentCount, "document") }

    private var rate: String? { Formatting.rate(progress.byteCount, seconds: seconds) }

    private var documentRate: String? {
        Formatting.per(progress.documentCount, seconds).map { "\(Formatting.count($0))/s" }
    }

    private var timeToGo: String? {
        guard let fraction, fraction > 0, seconds >= 1 else { return nil }
        return "\(Formatting.wholeDuration((seconds / fraction - seconds).rounded(.up))) to go"
    }

    private var elapsed: String? { seconds >= 1 ? Formatting.wholeDuration(seconds) : nil }

    private var subject: String? { progress.subject.map(Formatting.visible) }

    private func fitting(_ parts: [String?], _ columnCount: Int) -> String {
        var parts = parts.compactMap(\.self)
        while parts.count > 1, parts.joined(separator: "  ").count >= columnCount {
            parts.removeLast()
        }
        return String(parts.joined(separator: "  ").prefix(max(0, columnCount - 1)))
    }
}
