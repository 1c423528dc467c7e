internal import ArgumentParser
internal import HTTPService
internal import Operations
internal import Snapshots

/// Where the service listens.
struct NetworkOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Address to listen on.", valueName: "address"))
    var host = "127.0.0.1"
    @Option(help: ArgumentHelp("Port to listen on; 0 for any.", valueName: "number"))
    var port = 8001
    @Option(help: ArgumentHelp("Certificate chain for TLS, PEM.", valueName: "file"))
    var tlsCertificate: String?
    @Option(help: ArgumentHelp("Its private key, PEM.", valueName: "file"))
    var tlsKey: String?
    @Option(
        help: ArgumentHelp(
            "Address of a reverse proxy whose X-Forwarded-For is trusted; may be repeated.",
            valueName: "address"))
    var trustedProxy: [String] = []
    @Flag(help: "Let anybody read /metrics; otherwise it takes a token.")
    var openMetrics = false

    /// - Throws: `ServerFailure` with usage.
    func apply(to options: inout ServiceOptions) throws {
        guard (0...65535).contains(port) else {
            throw ServerFailure.usage("--port is a number from 0 to 65535")
        }
        options.host = host
        options.port = port
        options.hasOpenMetrics = openMetrics
        options.trustedProxies = trustedProxy
        switch (tlsCertificate, tlsKey) {
        case (nil, nil): break
        case (let certificate?, let key?):
            options.tls = ServiceOptions.TLSFiles(certificate: certificate, key: key)
        default: throw ServerFailure.usage("--tls-certificate and --tls-key belong together")
        }
    }
}

/// How much the service takes.
struct LimitOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "What running jobs are given at a shutdown, such as 60s or 10m.", valueName: "time"))
    var grace = Span(seconds: 60)
    @Option(
        help: ArgumentHelp(
            "How long a job may take to end once it is cancelled, before it is given up.",
            valueName: "time"))
    var cancelTimeout = Span(seconds: 20)
    @Option(
        help: ArgumentHelp(
            "How long jobs retry when the database server is not available; a server that has not "
                + "answered since the start is waited for only if this is given. (default: 120s)",
            valueName: "time"))
    var retryFor: Span?
    @Option(
        help: ArgumentHelp("Backups and restores at a time, 1 to 64.", valueName: "count"))
    var longJobs = 2
    @Option(
        help: ArgumentHelp(
            "Previews, verifications, comparisons and cleanups at a time, 1 to 64.",
            valueName: "count"))
    var shortJobs = 2
    @Option(help: ArgumentHelp("The most bytes of a request's body.", valueName: "bytes"))
    var bodyBytes = 1024 * 1024
    @Option(
        help: ArgumentHelp("How long a client may take to send it.", valueName: "time"))
    var bodyTimeout = Span(seconds: 20)
    @Option(
        help: ArgumentHelp(
            "After how long without a request a connection is closed.", valueName: "time"))
    var idleTimeout = Span(seconds: 75)
    @Option(
        help: ArgumentHelp(
            "After how long a client that takes nothing of its answer is cut off.",
            valueName: "time"))
    var writeTimeout = Span(seconds: 60)
    @Option(help: ArgumentHelp("The most event streams at a time.", valueName: "count"))
    var streams = 256
    @Option(help: ArgumentHelp("The most event streams of one subject.", valueName: "count"))
    var subjectStreams = 32
    @Option(
        help: ArgumentHelp(
            "The most downloads at a time; of one subject half of them.", valueName: "count"))
    var downloads = 16
    @Option(help: ArgumentHelp("The most connections at a time.", valueName: "count"))
    var connections = 12_000
    @Option(
        help: ArgumentHelp(
            "Niceness of the threads that answer requests while jobs run, 0 to 19.",
            valueName: "number"))
    var requestNiceness = 15
    @Option(
        help: ArgumentHelp(
            "How much of each processor answers may take while jobs are done, 1 to 100.",
            valueName: "percent"))
    var requestShare = 10
    @Option(
        help: ArgumentHelp("Requests a minute of one subject.", valueName: "count"))
    var rate = 600
    @Option(
        help: ArgumentHelp("Requests a minute of one address.", valueName: "count"))
    var addressRate = 1200
    @Option(
        help: ArgumentHelp("Refused tokens a minute of one address.", valueName: "count"))
    var refusedTokenRate = 20

    /// - Throws: `ServerFailure` with usage.
    func apply(to options: inout ServiceOptions) throws {
        let counts: [(String, Int, ClosedRange<Int>)] = [
            ("--long-jobs", longJobs, 1...64), ("--short-jobs", shortJobs, 1...64),
            ("--body-bytes", bodyBytes, 1024...64 * 1024 * 1024),
            ("--connections", connections, 1...1_000_000),
            ("--request-niceness", requestNiceness, 0...19),
            ("--request-share", requestShare, 1...100),
            ("--rate", rate, 1...1_000_000), ("--address-rate", addressRate, 1...1_000_000),
            ("--refused-token-rate", refusedTokenRate, 1...1_000_000),
            ("--body-timeout", bodyTimeout.seconds, 1...3600),
            ("--idle-timeout", idleTimeout.seconds, 1...86400),
            ("--write-timeout", writeTimeout.seconds, 1...86400),
            ("--cancel-timeout", cancelTimeout.seconds, 1...3600),
            ("--streams", streams, 1...100_000), ("--subject-streams", subjectStreams, 1...100_000),
            ("--downloads", downloads, 1...1000),
        ]
        for (name, count, range) in counts where !range.contains(count) {
            throw ServerFailure.usage(
                "\(name) is from \(range.lowerBound) to \(range.upperBound), not \(count)")
        }
        options.graceSeconds = Double(grace.seconds)
        options.cancelSeconds = Double(cancelTimeout.seconds)
        options.writeSecondsMax = writeTimeout.seconds
        options.eventStreamCountMax = streams
        options.subjectEventStreamCountMax = subjectStreams
        options.downloadCountMax = downloads
        options.subjectDownloadCountMax = max(1, downloads / 2)
        options.widths.longJobCount = longJobs
        options.widths.shortJobCount = shortJobs
        options.bodyByteCountMax = bodyBytes
        options.bodySecondsMax = bodyTimeout.seconds
        options.idleSecondsMax = idleTimeout.seconds
        options.connectionCountMax = connections
        options.requestNiceness = requestNiceness
        options.requestShare = Double(requestShare) / 100
        options.subjectRequestsPerMinute = rate
        options.addressRequestsPerMinute = addressRate
        options.refusedTokensPerMinute = refusedTokenRate
    }
}

/// What is kept although it is old or beyond the most there may be.
struct KeepRuleOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Keep the n newest backups.", valueName: "count"))
    var keepLast: Int?
    @Option(help: ArgumentHelp("Keep one backup a day for n days.", valueName: "count"))
    var keepDaily: Int?
    @Option(help: ArgumentHelp("Keep one backup a week for n weeks.", valueName: "count"))
    var keepWeekly: Int?
    @Option(help: ArgumentHelp("Keep one backup a month for n months.", valueName: "count"))
    var keepMonthly: Int?
}

/// What is kept unless a request says otherwise.
struct RetentionOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Keep backups for n days.", valueName: "count"))
    var keepDays = 30
    @Option(help: ArgumentHelp("Keep at most n backups.", valueName: "count"))
    var maxCount = 30
    @OptionGroup var rules: KeepRuleOptions

    /// 0 switches a rule off.
    ///
    /// - Throws: `ServerFailure` with usage.
    func policy() throws -> RetentionPolicy {
        func number(_ value: Int?, _ option: String) throws -> Int? {
            guard let value, value != 0 else { return nil }
            guard (1...RetentionPolicy.numberMax).contains(value) else {
                throw ServerFailure.usage(
                    "\(option) is a number from 0 to \(RetentionPolicy.numberMax)")
            }
            return value
        }
        var policy = RetentionPolicy()
        policy.maxAgeDays = try number(keepDays, "--keep-days")
        policy.maxCount = try number(maxCount, "--max-count")
        policy.keepLast = try number(rules.keepLast, "--keep-last")
        policy.keepDaily = try number(rules.keepDaily, "--keep-daily")
        policy.keepWeekly = try number(rules.keepWeekly, "--keep-weekly")
        policy.keepMonthly = try number(rules.keepMonthly, "--keep-monthly")
        return policy
    }
}

/// A time as it is written on the command line: `90s`, `15m`, `24h`, `7d`.
struct Span: ExpressibleByArgument {
    private static let units: [Character: Int] = ["s": 1, "m": 60, "h": 3600, "d": 86400]
    private static let secondsMax = 3660 * 86400

    let seconds: Int

    init(seconds: Int) {
        self.seconds = seconds
    }

    init?(argument: String) {
        guard let unit = argument.last.flatMap({ Self.units[$0] }),
            let count = Int(argument.dropLast()), (0...Self.secondsMax / unit).contains(count)
        else { return nil }
        seconds = count * unit
    }

    var defaultValueDescription: String { "\(seconds)s" }
}
