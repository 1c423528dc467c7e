internal import ArgumentParser

/// How long a job goes on trying.
struct EnduranceOptions: ParsableArguments, Sendable {
    @Option(
        help: ArgumentHelp(
            "How long to try again when the server is restarted, elects another primary, hangs or "
                + "can't be reached, such as 90s or 10m; 0s for not at all. A server that never "
                + "answered is waited for only if this is given. (default: 2m)",
            valueName: "time"))
    var retryFor: TimeSpan?

    /// In seconds.
    var seconds: Double { Double(retryFor?.seconds ?? 120) }

    /// Whether a server that is not up yet is waited for as well.
    var waitsForServer: Bool { retryFor != nil }
}
