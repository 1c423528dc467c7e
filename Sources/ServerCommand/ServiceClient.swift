internal import ArgumentParser
internal import AsyncHTTPClient
internal import Foundation
internal import Glibc
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import NIOSSL

/// Which running service a command is about, and as whom.
struct ServiceOptionsGroup: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Where the service is; else CAIRN_SERVICE, else http://127.0.0.1:8001.",
            valueName: "url"))
    var service: String?

    @Option(
        help: ArgumentHelp(
            "Certificates that the service's own may be signed with, PEM; else CAIRN_CA, else the "
                + "system's.", valueName: "file"))
    var caCertificate: String?

    @OptionGroup var key: KeyOptions

    /// A client for it.
    ///
    /// - Throws: `ServerFailure` with usage when there is neither a token nor a secret.
    func client() async throws -> ServiceClient {
        let place = service ?? ServerEnvironment["CAIRN_SERVICE"] ?? "http://127.0.0.1:8001"
        return ServiceClient(
            base: place.hasSuffix("/") ? String(place.dropLast()) : place,
            token: try await token(), roots: caCertificate ?? ServerEnvironment["CAIRN_CA"])
    }

    /// `CAIRN_TOKEN`, or one for a minute that is made with the secret.
    private func token() async throws -> String {
        if let token = ServerEnvironment["CAIRN_TOKEN"] { return token }
        guard try key.secretText() != nil else {
            throw ServerFailure.usage(
                "set CAIRN_TOKEN to a token, or give --secret-file so that one can be made")
        }
        return try await TokenMaking(key: key).token(
            subject: "command-line:\(NSUserName())", role: "super_admin", seconds: 60)
    }
}

/// Asks a running service.
struct ServiceClient {
    private static let answerByteCountMax = 16 * 1024 * 1024
    private static let secondsMax: Int64 = 30

    let base: String
    let token: String
    /// File with the certificates that are trusted; nil for the system's.
    let roots: String?

    /// Why the service did not do what it was asked.
    private struct ProblemBody: Decodable {
        struct Field: Decodable {
            var field: String
            var message: String
        }

        var code: String
        var detail: String
        var errors: [Field]?
    }

    /// The answer to a request, as JSON text; nil when there is nothing by that path.
    ///
    /// - Throws: `ServerFailure` when the service can't be reached or refuses.
    func ask(_ method: String, _ path: String, body: String? = nil) async throws -> String? {
        var request = HTTPClientRequest(url: base + "/api/phase14" + path)
        request.method = .init(rawValue: method)
        request.headers.add(name: "authorization", value: "Bearer \(token)")
        if let body {
            request.headers.add(name: "content-type", value: "application/json")
            request.body = .bytes(ByteBuffer(string: body))
        }
        let (status, text) = try await exchange(request)
        if status == 404 { return nil }
        guard status < 300 else { throw Self.failure(status, text) }
        return text
    }

    private func exchange(_ request: HTTPClientRequest) async throws -> (UInt, String) {
        let client = HTTPClient(
            eventLoopGroupProvider: .singleton, configuration: try configuration())
        let result: Result<(UInt, String), any Error>
        do {
            let response = try await client.execute(request, timeout: .seconds(Self.secondsMax))
            let body = try await response.body.collect(upTo: Self.answerByteCountMax)
            result = .success((response.status.code, String(buffer: body)))
        } catch {
            result = .failure(
                ServerFailure(
                    status: 1,
                    message: "the service at \(base) can't be reached: \(Self.reason(error))"))
        }
        try await client.shutdown()
        return try result.get()
    }

    private func configuration() throws -> HTTPClient.Configuration {
        var configuration = HTTPClient.Configuration()
        guard let roots else { return configuration }
        do {
            // Read here: what is missing would else be told as a failed connection.
            let certificates = try NIOSSLCertificate.fromPEMFile(roots)
            var tls = TLSConfiguration.makeClientConfiguration()
            tls.trustRoots = .certificates(certificates)
            configuration.tlsConfiguration = tls
        } catch {
            throw ServerFailure.usage("the certificates in \(roots) can't be used; are they PEM?")
        }
        return configuration
    }

    /// What can be done about a connection that has failed.
    private static func reason(_ error: any Error) -> String {
        switch error {
        case let error as HTTPClientError where error == .connectTimeout:
            "it does not answer; is --service right?"
        case let error as HTTPClientError where error == .deadlineExceeded:
            "it did not answer within \(secondsMax) seconds"
        case let error as HTTPClientError where error == .invalidURL:
            "--service is no URL such as http://127.0.0.1:8001"
        case let error as HTTPClientError where Self.isNoAddress(error):
            "--service is no http or https URL, such as http://127.0.0.1:8001"
        case is HTTPClientError: "\(error)"
        case let error as IOError where error.errnoCode == ECONNREFUSED:
            "nobody listens there; is it running, and is --service right?"
        case is NIOConnectionError: "nobody listens there; is it running, and is --service right?"
        case is NIOSSLError, is BoringSSLError:
            "TLS failed; is its certificate signed by a known one (--ca-certificate), and made "
                + "for that name?"
        default: "\(error)"
        }
    }

    private static func isNoAddress(_ error: HTTPClientError) -> Bool {
        error == .emptyScheme || error == .emptyHost
            || "\(error)".contains("unsupportedScheme")
    }

    private static func failure(_ status: UInt, _ text: String) -> ServerFailure {
        do {
            let problem = try JSONDecoder().decode(ProblemBody.self, from: Data(text.utf8))
            let fields = (problem.errors ?? []).map { "\($0.field) \($0.message)" }
            return ServerFailure(
                status: status == 422 ? 64 : 1,
                message: ([problem.detail] + fields).joined(separator: "; "))
        } catch {
            return ServerFailure(
                status: 1, message: "the service answered with the HTTP status \(status)")
        }
    }
}
