internal import ArgumentParser

/// How long a job goes on trying.
struct EnduranceOptions: ParsableArguments, Sendable {
    @Option(
        help: ArgumentHelp(
            "How long to try again when the server is restarted, elects another primary or can't "
                + "be reached, such as 90s or 10m; 0s for not at all.",
            valueName: "time"))
    var retryFor = TimeSpan(seconds: 120)

    /// In seconds.
    var seconds: Double { Double(retryFor.seconds) }
}
