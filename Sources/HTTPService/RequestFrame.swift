internal import Foundation
internal import HTTPTypes
internal import Hummingbird
internal import Logging
internal import NIOCore

/// Around every request: its name, headers that every answer has, the log's line, the count, and a
/// problem for what no endpoint has answered.
struct RequestFrame: RouterMiddleware {
    /// Knows which paths there are, to tell a wrong method from a wrong path.
    let routes: RouteTable
    let metrics: ServiceMetrics
    /// Whether clients come by TLS.
    let isSecure: Bool
    /// Whose word counts about where a request comes from.
    let proxies: TrustedProxies
    /// Makes a name for a request whose client has none.
    let makeRequestID: @Sendable () -> String

    private static let requestIDLengthMax = 64

    @concurrent func handle(
        _ request: Request, context: ServiceContext,
        next: @concurrent (Request, ServiceContext) async throws -> Response
    ) async throws -> Response {
        let start = ContinuousClock.now
        var context = context
        context.requestID = name(of: request)
        context.address = proxies.client(
            of: context.remoteAddress?.ipAddress, request.headers[values: .xForwardedFor])
        context.logger[metadataKey: "request_id"] = "\(context.requestID)"
        var response: Response
        do {
            response = try await next(request, context)
        } catch {
            let problem = problem(error, request)
            metrics.refused(problem.code)
            response = problem.response(context.requestID)
        }
        // A body behind an answer to HEAD would be read as the next answer.
        if request.method == .head { response = response.createHeadResponse() }
        addHeaders(to: &response, context)
        let route = routes.name(context.endpointPath)
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        metrics.answered(request.method, route, response.status, seconds: seconds)
        context.logger.info(
            "answered",
            metadata: [
                "method": "\(request.method.rawValue.prefix(16))", "route": "\(route)",
                "status": "\(response.status.code)", "address": "\(context.address)",
                "milliseconds": "\(Int(seconds * 1000))",
            ])
        return response
    }

    /// The client's own name for it, where that can be written anywhere without harm.
    private func name(of request: Request) -> String {
        guard let name = request.headers[.requestID], !name.isEmpty,
            name.utf8.count <= Self.requestIDLengthMax,
            name.utf8.allSatisfy({ byte in
                let character = Character(Unicode.Scalar(byte))
                return character.isASCII
                    && (character.isLetter || character.isNumber || "-_.".contains(character))
            })
        else { return makeRequestID() }
        return name
    }

    private func problem(_ error: any Error, _ request: Request) -> Problem {
        guard let error = error as? HTTPError, error.status == .notFound else {
            return Problem(error)
        }
        let allowed = routes.methods(for: request.uri.path)
        guard !allowed.isEmpty else {
            return .notFound("there is nothing at this path; /docs lists the paths")
        }
        let names = allowed.map(\.rawValue).joined(separator: ", ")
        return Problem(
            .methodNotAllowed, "method_not_allowed", "this path takes \(names)",
            headers: [.allow: names])
    }

    private func addHeaders(to response: inout Response, _ context: ServiceContext) {
        response.headers[.requestID] = context.requestID
        response.headers[.xContentTypeOptions] = "nosniff"
        if response.headers[.cacheControl] == nil {
            response.headers[.cacheControl] = "no-store"
        }
        if response.headers[.contentSecurityPolicy] == nil {
            response.headers[.contentSecurityPolicy] = "default-src 'none'"
        }
        if isSecure {
            response.headers[.strictTransportSecurity] = "max-age=31536000"
        }
    }
}

/// Which methods each path takes.
struct RouteTable: Sendable {
    private typealias Route = (parts: [Substring], method: HTTPRequest.Method)

    private let routes: [Route]
    private let names: Set<String>

    init(_ endpoints: [Endpoint]) {
        names = Set(endpoints.map(\.path))
        routes = endpoints.flatMap { endpoint in
            let parts = endpoint.path.split(separator: "/")
            let methods = endpoint.method == .get ? [.get, .head] : [endpoint.method]
            return methods.map { (parts, $0) }
        }
    }

    /// What logs and metrics call the route that was taken: an endpoint's path, or "none", so that
    /// there are only so many.
    func name(_ taken: String?) -> String {
        taken.flatMap { names.contains($0) ? $0 : nil } ?? "none"
    }

    /// Those that the path takes, in order of their names; none for a path that there is not. A
    /// path that is named outright, as `/backup/list`, is not one with a parameter there too.
    func methods(for path: String) -> [HTTPRequest.Method] {
        let parts = path.split(separator: "/")
        let fitting = routes.filter { route in
            route.parts.count == parts.count
                && zip(route.parts, parts).allSatisfy { $0.hasPrefix("{") || $0 == $1 }
        }
        let fewest = fitting.map(Self.parameterCount).min()
        let found = fitting.filter { Self.parameterCount($0) == fewest }
        return Set(found.map(\.method)).sorted { $0.rawValue < $1.rawValue }
    }

    private static func parameterCount(_ route: Route) -> Int {
        route.parts.count { $0.hasPrefix("{") }
    }
}

/// Proxies in front of the service. Each adds the address that it was asked from to
/// `X-Forwarded-For`; what others write there is anybody's word.
struct TrustedProxies: Sendable {
    private let addresses: Set<String>

    init(_ addresses: [String]) {
        self.addresses = Set(addresses)
    }

    /// The address that a request comes from: the last one that no trusted proxy has.
    ///
    /// - Parameters:
    ///   - peer: the connection's address.
    ///   - forwarded: the header's values, in order.
    func client(of peer: String?, _ forwarded: [String]) -> String {
        guard let peer else { return "local" }
        guard addresses.contains(peer) else { return peer }
        let chain = forwarded.flatMap { $0.split(separator: ",") }
            .map { $0.trimmingCharacters(in: .whitespaces) }
        for address in chain.reversed() where !addresses.contains(address) {
            return Self.isAddress(address) ? address : peer
        }
        return peer
    }

    private static func isAddress(_ text: String) -> Bool {
        do {
            _ = try SocketAddress(ipAddress: text, port: 0)
            return true
        } catch {
            return false
        }
    }
}
