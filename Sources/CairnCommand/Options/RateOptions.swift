internal import ArgumentParser
internal import Snapshots

/// How fast a command may be at most.
struct RateOptions: ParsableArguments, Sendable {
    /// Rates that are not to be exceeded.
    @Option(
        help: ArgumentHelp(
            "Limit a second: 20MB of documents, or 5000docs; may be given for both.",
            valueName: "rate"))
    var maxRate: [Rate] = []

    /// The same for a job; nil when nothing is limited.
    ///
    /// - Throws: `Failure` with `usage` for two rates of one kind.
    func makeLimiter(_ file: Configuration) throws -> RateLimiter? {
        let maxRate = maxRate.isEmpty ? [file.maxRate].compactMap(\.self) : maxRate
        let bytes = maxRate.compactMap(\.byteCount)
        let documents = maxRate.compactMap(\.documentCount)
        guard bytes.count <= 1, documents.count <= 1 else {
            throw Failure.usage("--max-rate is given once in bytes and once in documents at most")
        }
        guard !maxRate.isEmpty else { return nil }
        return RateLimiter(
            try RateLimiter.Limit(
                bytesPerSecond: bytes.first, documentsPerSecond: documents.first))
    }
}

/// So much a second: `20MB`, `20MB/s`, `5000docs`, `5000docs/s`.
struct Rate: ExpressibleByArgument, Equatable, Sendable {
    /// Bytes a second, when it is a rate of bytes.
    let byteCount: Int?
    /// Documents a second, when it is one of documents.
    let documentCount: Int?

    /// Nil for what is no rate, or one of nothing.
    init?(argument: String) {
        let amount = argument.hasSuffix("/s") ? String(argument.dropLast(2)) : argument
        if amount.hasSuffix("docs") {
            documentCount = Int(amount.dropLast(4))
            byteCount = nil
        } else {
            // Without a unit it would be bytes, and hardly anybody means twenty bytes a second.
            guard amount.last?.isLetter == true else { return nil }
            byteCount = ByteSize(argument: amount)?.byteCount
            documentCount = nil
        }
        guard let count = byteCount ?? documentCount, count >= 1 else { return nil }
    }
}
