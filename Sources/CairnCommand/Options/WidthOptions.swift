internal import ArgumentParser
internal import Glibc

/// How much a command does at once.
struct WidthOptions: ParsableArguments, Sendable {
    /// Chunks in work at once.
    @Option(
        help: ArgumentHelp(
            "How many chunks are in work at once, 1 to 64. (default: one a processor, at most 8)",
            valueName: "count"))
    var jobs: Int?

    private static let allowed = 1...64
    private static let chosen = 1...8

    /// The number, whether given or chosen.
    ///
    /// - Throws: `Failure` with `usage`.
    func resolved() throws -> Int {
        guard let jobs else {
            let processorCount = sysconf(Int32(_SC_NPROCESSORS_ONLN))
            return min(max(processorCount, Self.chosen.lowerBound), Self.chosen.upperBound)
        }
        guard Self.allowed.contains(jobs) else {
            throw Failure.usage("--jobs is a number from 1 to 64, not \(jobs)")
        }
        return jobs
    }
}
