internal import AccessControl
internal import Foundation
internal import HTTPTypes
internal import Hummingbird
internal import Logging
internal import NIOCore
internal import Operations
internal import ServiceState

/// What every request goes through: its turn beside jobs → address limit → token → subject limit →
/// permission → fields → audit of what is about to be done → idempotency → the endpoint → audit of
/// what came of it. Whatever fails becomes a problem.
struct EndpointPipeline: Sendable {
    /// What it needs to know and to reach.
    let environment: ServiceEnvironment
    /// What is asked for.
    let endpoint: Endpoint

    /// Answers a request.
    func respond(_ request: Request, _ context: ServiceContext) async -> Response {
        var trace = Trace()
        var response: Response
        do {
            response = try await answer(request, context, &trace)
        } catch {
            let problem = Problem(error)
            trace.details.code = problem.code
            environment.metrics.refused(problem.code)
            if problem.status.code >= 500 {
                context.logger.error(
                    "request failed",
                    metadata: ["code": "\(problem.code)", "reason": "\(error)"])
            }
            response = problem.response(context.requestID)
        }
        response = await audited(response, request, context, &trace)
        for (name, value) in trace.headers {
            if let name = HTTPField.Name(name) { response.headers[name] = value }
        }
        return response
    }

    /// What is found out on the way, which the audit log and the answer's headers need even when
    /// something fails.
    private struct Trace {
        var caller: Caller?
        var resource: String?
        var details = AuditDetails()
        /// Limits that hold for the caller.
        var headers: [(name: String, value: String)] = []
        /// Whether the endpoint was asked, or the request refused because a permission is missing.
        var isWorthAuditing = false
        /// What the audit log says is about to be done; nil for nothing that is audited.
        var intent: AuditTrail.Intent?
    }

    private func answer(
        _ request: Request, _ context: ServiceContext, _ trace: inout Trace
    ) async throws -> Response {
        // Not probes: whoever watches the service must hear of it within a second.
        if !endpoint.isUnlimited { try await environment.gate.pass() }
        let reading = RequestReading(
            endpoint: endpoint, bodyByteCountMax: environment.limits.bodyByteCountMax,
            bodySecondsMax: environment.limits.bodySecondsMax)
        if case .open = endpoint.access {
            if !endpoint.isUnlimited {
                try limit(environment.limits.addresses, .address(context.address), &trace)
            }
        } else {
            let caller = try await authenticate(request, context, &trace)
            trace.caller = caller
            try limit(environment.limits.subjects, .subject(caller.subject), &trace)
            // Not before: what is refused for its number would fill the log at the same rate.
            trace.isWorthAuditing = true
            trace.resource = reading.resource(request.uri.path)
            try authorize(caller)
        }
        let (parameters, body) = try await reading.read(request)
        if endpoint.auditedAs != nil { reading.note(parameters, body, in: &trace.details) }
        if let action = endpoint.auditedAs {
            let intent = try await environment.trail.begin(
                event(action, .allowed, nil, context, trace))
            trace.intent = intent
            if let failure = intent.failure { throw failure }
        }
        let call = Call(
            caller: trace.caller, requestID: context.requestID, address: context.address,
            parameters: parameters, headers: request.headers, body: body,
            idempotencyKey: endpoint.takesIdempotencyKey
                ? parameters[HTTPField.Name.idempotencyKey.rawName] : nil)
        let reply = try await Idempotency(
            state: environment.state, deferred: environment.runner.deferred, endpoint: endpoint,
            path: request.uri.path
        ).answer(call, now: environment.now()) {
            try await withDeadline(seconds: environment.limits.handlingSecondsMax) {
                try await endpoint.handle(call)
            } orThrow: {
                Problem(
                    .serviceUnavailable, "timeout", "the request took too long; try it again",
                    headers: [.retryAfter: "5"])
            }
        }
        trace.resource = reply.resource ?? trace.resource
        return reply.response
    }

    // MARK: Who asks

    private func authenticate(
        _ request: Request, _ context: ServiceContext, _ trace: inout Trace
    ) async throws -> Caller {
        let limits = environment.limits
        let address = RateLimitKey.address(context.address)
        let now = ContinuousClock.now
        try limit(limits.addresses, address, &trace)
        guard let token = Self.token(request.headers) else {
            try refuse(address, now, &trace)
            throw Self.unauthorized("no_token", "a bearer token is needed", parameters: "")
        }
        do {
            return try await environment.verifier.verify(token, now: environment.date())
        } catch let error as AccessError where error.reason == .keysUnavailable {
            context.logger.error("there are no keys", metadata: ["reason": "\(error)"])
            throw Problem(
                .serviceUnavailable, "no_keys", "tokens can't be verified now; try again later",
                headers: [.retryAfter: "30"])
        } catch let error as AccessError {
            try refuse(address, now, &trace)
            environment.metrics.refusedToken(error.code.rawValue)
            context.logger.notice(
                "token refused",
                metadata: [
                    "reason": "\(error.reason.rawValue)", "address": "\(context.address)",
                ])
            guard error.code != .expired else { throw Self.expired }
            throw Self.unauthorized(
                "token_invalid", "the token is not valid",
                parameters: ", error=\"invalid_token\"")
        }
    }

    /// A token that was good once.
    static let expired = unauthorized(
        "token_expired", "the token has expired", parameters: ", error=\"invalid_token\"")

    /// Counts a refusal; who has too many is not told any more what was wrong. A valid token is
    /// taken all the same: others may share the address.
    private func refuse(
        _ address: RateLimitKey, _ now: ContinuousClock.Instant, _ trace: inout Trace
    ) throws {
        let buckets = environment.limits.failures
        let decision = buckets.take(address, now: now)
        guard !decision.isAllowed else { return }
        trace.headers = decision.headerFields(buckets.policy)
        throw Self.tooMany(decision)
    }

    private static func token(_ headers: HTTPFields) -> String? {
        let values = headers[values: .authorization]
        guard values.count == 1, let value = values.first else { return nil }
        let words = value.split(separator: " ", maxSplits: 1)
        guard words.count == 2, words[0].lowercased() == "bearer" else { return nil }
        return String(words[1])
    }

    private static func unauthorized(
        _ code: String, _ detail: String, parameters: String
    ) -> Problem {
        Problem(
            .unauthorized, code, detail,
            headers: [.wwwAuthenticate: "Bearer realm=\"cairn\"\(parameters)"])
    }

    private func authorize(_ caller: Caller) throws {
        guard case .permitted(let permission) = endpoint.access else { return }
        guard environment.permissions.allows(caller.role, permission) else {
            throw Problem.forbidden(caller, permission)
        }
    }

    // MARK: How often

    private func limit(
        _ buckets: TokenBuckets, _ key: RateLimitKey, _ trace: inout Trace
    ) throws {
        let decision = buckets.take(key, now: .now)
        trace.headers = decision.headerFields(buckets.policy)
        guard decision.isAllowed else { throw Self.tooMany(decision) }
    }

    private static func tooMany(_ decision: RateDecision) -> Problem {
        Problem(
            .tooManyRequests, "too_many_requests",
            "too many requests; try again in \(decision.retryAfterSeconds ?? 1) seconds",
            headers: [.retryAfter: String(decision.retryAfterSeconds ?? 1)])
    }

    // MARK: What is remembered of it

    /// The answer, once it is written down what came of the request. What can't be is answered as a
    /// failure when nothing was done, and written down later when something was.
    private func audited(
        _ response: Response, _ request: Request, _ context: ServiceContext, _ trace: inout Trace
    ) async -> Response {
        guard let action = endpoint.auditedAs, trace.isWorthAuditing else { return response }
        let outcome =
            switch response.status.code {
            case ..<400: "accepted"
            case 401, 403: "denied"
            default: "refused"
            }
        let event = event(
            action, AuditOutcome(rawValue: outcome), response.status.code, context, trace)
        if let intent = trace.intent {
            await environment.trail.end(intent, event)
            return response
        }
        do {
            try await environment.trail.refused(event)
            return response
        } catch {
            context.logger.critical(
                "the audit log can't be written", metadata: ["reason": "\(error)"])
            return Problem(error).response(context.requestID)
        }
    }

    private func event(
        _ action: String, _ outcome: AuditOutcome, _ status: Int?, _ context: ServiceContext,
        _ trace: Trace
    ) -> AuditEvent {
        AuditEvent(
            at: environment.now(), subject: trace.caller?.subject ?? "",
            role: trace.caller?.role.rawValue ?? "", address: context.address,
            requestID: context.requestID, action: action, resource: trace.resource ?? "",
            outcome: outcome, status: status, details: trace.details.text)
    }
}
