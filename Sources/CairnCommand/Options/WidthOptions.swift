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

    /// The number, whether given, configured or chosen.
    ///
    /// - Throws: `Failure` with `usage`.
    func resolved(_ file: Configuration) throws -> Int {
        try Self.checked(jobs, "--jobs") ?? file.jobs ?? Self.processorCount
    }

    /// Processors of this machine, 8 at most: what is chosen unless a number is given.
    static var processorCount: Int {
        let count = sysconf(Int32(_SC_NPROCESSORS_ONLN))
        return min(max(count, chosen.lowerBound), chosen.upperBound)
    }

    /// A number that was given for an option, or nil.
    ///
    /// - Throws: `Failure` with `usage`.
    static func checked(_ number: Int?, _ option: String) throws -> Int? {
        guard let number else { return nil }
        guard allowed.contains(number) else {
            throw Failure.usage("\(option) is a number from 1 to 64, not \(number)")
        }
        return number
    }
}
