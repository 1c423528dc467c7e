internal import SnapshotJSON

/// What came of a job.
struct JobResult: Sendable {
    /// For people: one or more lines.
    var text: String
    /// For machines.
    var json: JSONValue
    var status = ProgramStatus.done
    /// What went wrong all the same, as a sentence; nil when nothing did.
    var warning: String?

    /// Says that strings of documents could not be written as they are.
    mutating func warn(ofInvalidStrings count: UInt64) {
        guard count > 0 else { return }
        status = .skipped
        warning =
            "\(count == 1 ? "1 string is" : "\(Formatting.count(count)) strings are") not UTF-8; "
            + "what is not was replaced by U+FFFD. --format bson of an export has every byte"
    }

    /// A result without a flaw.
    init(text: String, json: JSONValue) {
        self.text = text
        self.json = json
    }
}
