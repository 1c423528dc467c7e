internal import FoundationEssentials

/// Where the issuer's public keys are.
public enum KeySetSource: Hashable, Sendable {
    /// A file, read again whenever it has changed.
    case file(path: String)
    /// An `http` or `https` URL, fetched now and then.
    case url(String)

    /// A URL when the text begins like one, else the path of a file.
    ///
    /// - Throws: ``AccessError`` with the code `configuration` when the URL is unusable or the text
    ///   is empty.
    public init(_ text: String) throws(AccessError) {
        let start = text.lowercased()
        guard start.hasPrefix("http://") || start.hasPrefix("https://") else {
            guard !text.isEmpty, !text.contains("://") else {
                throw AccessError(
                    configuration: "the JWKS is neither a file's path nor an http(s) URL")
            }
            self = .file(path: text)
            return
        }
        guard let url = URL(string: text), let host = url.host(), !host.isEmpty else {
            throw AccessError(configuration: "the JWKS's URL has no host")
        }
        guard url.user() == nil, url.password() == nil else {
            throw AccessError(configuration: "the JWKS's URL has a user name or a password in it")
        }
        self = .url(text)
    }

    /// Whether nobody on the way can put keys of their own in: a file, `https`, or this machine.
    /// For a security checklist; other URLs work too.
    public var isProtected: Bool {
        guard case .url(let text) = self, let url = URL(string: text) else { return true }
        guard url.scheme?.lowercased() != "https" else { return true }
        let host = url.host()?.lowercased() ?? ""
        return ["localhost", "127.0.0.1", "::1", "[::1]"].contains(host)
    }
}

/// How long keys are used, in seconds.
public struct KeySetTiming: Hashable, Sendable {
    /// For how long fetched keys are fresh when the response does not say.
    public let freshSeconds: Double
    /// What `max-age` of a response may make of that.
    public let freshSecondsRange: ClosedRange<Double>
    /// How long after a fetch, whatever came of it, the next one may begin: an unknown `kid` costs
    /// whoever makes it up nothing.
    public let refetchSeconds: Double
    /// For how long keys that are no longer fresh are used when they can't be loaded anew; those of
    /// a file from when it was last seen as it should be. Until then a withdrawn key may be good.
    public let staleSeconds: Double
    /// What a fetch may take, from name resolution to the last byte.
    public let downloadSeconds: Double

    /// Ten minutes fresh (one to sixty by `max-age`), a fetch in 30 seconds at most, an hour stale,
    /// five seconds for a fetch.
    public static let standard = KeySetTiming(
        freshSeconds: 600, freshSecondsRange: 60...3600, refetchSeconds: 30, staleSeconds: 3600,
        downloadSeconds: 5)

    /// Other times, for tests.
    init(
        freshSeconds: Double, freshSecondsRange: ClosedRange<Double>, refetchSeconds: Double,
        staleSeconds: Double, downloadSeconds: Double
    ) {
        self.freshSeconds = freshSeconds
        self.freshSecondsRange = freshSecondsRange
        self.refetchSeconds = refetchSeconds
        self.staleSeconds = staleSeconds
        self.downloadSeconds = downloadSeconds
    }
}

/// What became of loading keys, for a readiness check.
public struct KeySetStatus: Hashable, Sendable {
    /// Keys in use; 0 when there are none yet.
    public let keyCount: Int
    /// When they were last known to be right, in seconds since 1970; nil when never.
    public let checkedAtSeconds: Double?
    /// Why the last attempt failed; nil when it did not.
    public let failure: String?
}
