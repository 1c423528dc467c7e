internal import ArgumentParser

/// What a command says, and how.
struct OutputOptions: ParsableArguments, Sendable {
    /// Whether the result is written as JSON.
    @Flag(help: "Write the result, or the failure, as one JSON object to standard output.")
    var json = false

    /// Whether only results and failures are told.
    @Flag(help: "Show neither progress nor notes.")
    var quiet = false
}
