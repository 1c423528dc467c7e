internal import ArgumentParser

/// How much of a difference is told by name.
struct SampleOptions: ParsableArguments, Sendable {
    private static let countMax = 1000

    /// Documents of each kind; nil when not said.
    @Option(
        help: ArgumentHelp(
            "How many documents of each kind are named, with the fields that differ, 0 to 1000. "
                + "(default: 5)",
            valueName: "count"))
    var samples: Int?

    /// - Throws: a usage failure for a number out of bounds.
    func count(standard: Int) throws -> Int {
        guard (0...Self.countMax).contains(samples ?? standard) else {
            throw Failure.usage("--samples is a number from 0 to \(Self.countMax)")
        }
        return samples ?? standard
    }
}
