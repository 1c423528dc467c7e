public import AccessControl
public import Operations

/// How the service is to be run.
public struct ServiceOptions: Sendable {
    /// The address to listen on: this machine's own unless told otherwise.
    public var host = "127.0.0.1"
    /// The port to listen on; 0 for any that is free.
    public var port = 8001
    /// Certificate and key for TLS, as paths of PEM files; nil for plain HTTP.
    public var tls: TLSFiles?
    /// Where its records are.
    public var stateFolder: String
    /// Where snapshots are.
    public var repositoryFolder: String
    /// What tokens are verified with.
    public var keys: TokenKeys
    /// What tokens must say.
    public var rules: TokenRules
    /// What jobs work with.
    public var settings: ServiceSettings
    /// How many jobs are done at once.
    public var widths = JobRunner.Widths()
    /// What running jobs are given at a shutdown before they are cancelled, in seconds.
    public var graceSeconds = 60.0
    /// How long a job may take to end once it is cancelled, before it is given up, in seconds.
    public var cancelSeconds = JobRunner.cancelSecondsStandard
    /// The most bytes of a request's body.
    public var bodyByteCountMax = 1024 * 1024
    /// How long a client may take to send it, in seconds.
    public var bodySecondsMax = 20
    /// How long an answer may take, waiting for jobs included, in seconds.
    public var handlingSecondsMax = 90
    /// How long a client may take nothing of its answer before the connection is closed, in
    /// seconds.
    public var writeSecondsMax = 60
    /// Event streams at a time, in all and of one subject.
    public var eventStreamCountMax = 256
    public var subjectEventStreamCountMax = 32
    /// Downloads at a time, in all and of one subject: each takes some megabytes, a decoded one
    /// tens.
    public var downloadCountMax = 16
    public var subjectDownloadCountMax = 8
    /// After how many seconds without a request, or within one, a connection is closed.
    public var idleSecondsMax = 75
    /// The most connections at a time; more have to wait.
    public var connectionCountMax = 12_000
    /// How much nicer the threads that answer are than those of jobs, from 0 to 19.
    public var requestNiceness = 15
    /// How much of each of those threads' time answers may take while jobs are done, more than 0
    /// and at most 1.
    public var requestShare = 0.1
    /// Requests a minute of a subject.
    public var subjectRequestsPerMinute = 600
    /// Requests a minute of an address.
    public var addressRequestsPerMinute = 1200
    /// Refused tokens a minute of an address.
    public var refusedTokensPerMinute = 20
    /// Addresses of proxies in front of the service, whose `X-Forwarded-For` counts.
    public var trustedProxies: [String] = []
    /// For how long what a look at the service's readiness found counts, in seconds.
    public var readinessSeconds = 1.0
    /// Whether anybody may read the metrics.
    public var hasOpenMetrics = false

    public init(
        stateFolder: String, repositoryFolder: String, keys: TokenKeys, rules: TokenRules,
        settings: ServiceSettings
    ) {
        self.stateFolder = stateFolder
        self.repositoryFolder = repositoryFolder
        self.keys = keys
        self.rules = rules
        self.settings = settings
    }

    /// Paths of PEM files.
    public struct TLSFiles: Sendable {
        public var certificate: String
        public var key: String

        public init(certificate: String, key: String) {
            self.certificate = certificate
            self.key = key
        }
    }
}
