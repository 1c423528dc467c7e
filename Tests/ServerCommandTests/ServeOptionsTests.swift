internal import AccessControl
internal import ArgumentParser
internal import Foundation
internal import HTTPService
internal import Operations
internal import Snapshots
internal import Testing

@testable internal import ServerCommand

/// What `serve` makes of its options.
@Suite struct ServeOptionsTests {
    private static let secret = "a-secret-for-tests-0123456789-abcdef"

    private func options() throws -> ServiceOptions {
        ServiceOptions(
            stateFolder: "/s", repositoryFolder: "/r",
            keys: .secret(try SharedSecret(Self.secret)),
            rules: try TokenRules(),
            settings: try ServiceSettings(uri: "mongodb://localhost:1", width: 1))
    }

    private func failure(_ body: () throws -> Void) -> ServerFailure? {
        do {
            try body()
            return nil
        } catch { return error as? ServerFailure }
    }

    /// Each with its smallest and its largest value.
    static let bounds: [(name: String, least: String, most: String, below: String, above: String)] =
        [
            ("long-jobs", "1", "64", "0", "65"), ("short-jobs", "1", "64", "0", "65"),
            ("body-bytes", "1024", "67108864", "1023", "67108865"),
            ("connections", "1", "1000000", "0", "1000001"),
            ("request-niceness", "0", "19", "-1", "20"),
            ("request-share", "1", "100", "0", "101"), ("rate", "1", "1000000", "0", "1000001"),
            ("address-rate", "1", "1000000", "0", "1000001"),
            ("refused-token-rate", "1", "1000000", "0", "1000001"),
            ("body-timeout", "1s", "1h", "0s", "3601s"),
            ("idle-timeout", "1s", "24h", "0s", "86401s"),
            ("write-timeout", "1s", "24h", "0s", "86401s"),
            ("cancel-timeout", "1s", "1h", "0s", "3601s"),
            ("streams", "1", "100000", "0", "100001"),
            ("subject-streams", "1", "100000", "0", "100001"),
            ("downloads", "1", "1000", "0", "1001"),
        ]

    @Test func everyLimitHasItsBounds() throws {
        for bound in Self.bounds {
            for value in [bound.least, bound.most] {
                var options = try options()
                try LimitOptions.parse(["--\(bound.name)=\(value)"]).apply(to: &options)
            }
            for value in [bound.below, bound.above] {
                var options = try options()
                let limits = try LimitOptions.parse(["--\(bound.name)=\(value)"])
                let failure = failure { try limits.apply(to: &options) }
                #expect(failure?.status == 64, "\(bound.name) \(value)")
                #expect(failure?.message.hasPrefix("--\(bound.name) is from") == true)
            }
        }
    }

    @Test func whatIsGivenIsWhatCounts() throws {
        var options = try options()
        try LimitOptions.parse([
            "--grace", "2m", "--cancel-timeout", "7s", "--long-jobs", "3", "--short-jobs", "4",
            "--request-share", "25", "--downloads", "1", "--rate", "11",
        ]).apply(to: &options)
        #expect(options.graceSeconds == 120 && options.cancelSeconds == 7)
        #expect(options.widths.longJobCount == 3 && options.widths.shortJobCount == 4)
        #expect(options.requestShare == 0.25 && options.subjectRequestsPerMinute == 11)
        // Half of one is none, which nobody could use.
        #expect(options.downloadCountMax == 1 && options.subjectDownloadCountMax == 1)
    }

    @Test(arguments: ["-1", "65536"])
    func aPortIsANumberOfSixteenBits(_ port: String) throws {
        var options = try options()
        let network = try NetworkOptions.parse(["--port=\(port)"])
        #expect(failure { try network.apply(to: &options) }?.message.contains("--port") == true)
    }

    @Test func aCertificateNeedsItsKey() throws {
        for given in [["--tls-certificate", "c"], ["--tls-key", "k"]] {
            var options = try options()
            let network = try NetworkOptions.parse(given)
            #expect(failure { try network.apply(to: &options) }?.status == 64)
        }
        var options = try options()
        try NetworkOptions.parse(["--tls-certificate", "c", "--tls-key", "k"]).apply(to: &options)
        #expect(options.tls?.certificate == "c" && options.tls?.key == "k")
    }

    @Test func aRuleOfRetentionIsSwitchedOffByZero() throws {
        let policy = try RetentionOptions.parse(["--keep-days", "0", "--keep-weekly", "5"]).policy()
        #expect(policy.maxAgeDays == nil && policy.maxCount == 30 && policy.keepWeekly == 5)
        let options = try RetentionOptions.parse(["--keep-daily=-1"])
        #expect(failure { _ = try options.policy() }?.message.contains("--keep-daily") == true)
    }

    @Test(arguments: [("90s", 90), ("15m", 900), ("24h", 86_400), ("7d", 604_800), ("0s", 0)])
    func timesAreNumbersWithUnits(_ text: String, _ seconds: Int) {
        #expect(Span(argument: text)?.seconds == seconds)
    }

    @Test(arguments: ["", "s", "10", "1w", "-1s", "1.5h", "9223372036854775807d", "3661d", " 1s"])
    func whatIsNoTimeIsRefused(_ text: String) {
        #expect(Span(argument: text) == nil)
    }

    @Test func oneKindOfKeyIsNeeded() throws {
        let file = NSTemporaryDirectory() + "cairn-secret-\(UUID().uuidString)"
        try Data(Self.secret.utf8).write(to: URL(filePath: file))
        defer { unlink(file) }
        guard case .secret = try KeyOptions.parse(["--secret-file", file]).keys() else {
            Issue.record("it is no secret")
            return
        }
        for given in [
            ["--secret-file", file, "--jwks", "https://issuer.example/keys"],
            ["--secret-file", file, "--algorithm", "RS256"],
            ["--secret-file", file + "-is-not-there"],
            ["--jwks", "https://issuer.example/keys", "--algorithm", "HS256"],
        ] {
            let options = try KeyOptions.parse(given)
            #expect(failure { _ = try options.keys() }?.status == 64, "\(given)")
        }
    }
}
