internal import ArchiveFormat
internal import Foundation
internal import HTTPTypes
internal import Operations
internal import ServiceState

/// Answers a repeated request as the first one was answered, without doing anything again.
struct Idempotency: Sendable {
    let state: StateStore
    /// What becomes of a key that can't be written at once.
    let deferred: DeferredWrites
    let endpoint: Endpoint
    let path: String

    /// Does what `body` does, unless the caller's key has been used before.
    ///
    /// - Throws: `Problem` 409 while the first request is under way, 422 when the key was used for
    ///   another request; what `body` throws.
    func answer(
        _ call: Call, now: Int64, _ body: () async throws -> Reply
    ) async throws -> Reply {
        guard let key = call.idempotencyKey else { return try await body() }
        let request = Array("\(endpoint.method.rawValue) \(path)\n".utf8) + Array(call.body)
        let claim = try await state.claim(
            key: key, subject: call.subject, fingerprint: SHA256Digest(of: request).description,
            now: now)
        switch claim {
        case .new: return try await first(key, call, body)
        case .replay(let stored): return Self.replayed(stored)
        case .job(let id): return try await answer(forJob: id, call)
        case .inProgress:
            throw Problem(
                .conflict, "in_progress", "the first request with this key is under way",
                headers: [.retryAfter: "1"])
        case .mismatch:
            throw Problem(
                .unprocessableContent, "key_reused",
                "the Idempotency-Key was used for another request")
        }
    }

    /// The first request has begun this job and has not answered, or not yet.
    private func answer(forJob id: String, _ call: Call) async throws -> Reply {
        guard let answer = endpoint.answer, let job = try await state.job(id) else {
            throw Problem.notFound("there is no job \(id) any more")
        }
        var reply = try await answer(job, call)
        reply.headers[.idempotencyReplayed] = "true"
        return reply
    }

    private func first(
        _ key: String, _ call: Call, _ body: () async throws -> Reply
    ) async throws -> Reply {
        let reply: Reply
        do {
            reply = try await body()
        } catch {
            // A job that was begun all the same is linked to the key, and is found by it.
            await deferred.perform("an idempotency key can't be given up") { [state] in
                try await state.release(key: key, subject: call.subject)
            }
            throw error
        }
        guard case .text(let text) = reply.content else {
            preconditionFailure("\(endpoint.id) can't be answered twice")
        }
        let response = StoredResponse(
            status: reply.status.code,
            headers: reply.headers.map {
                StoredResponse.Header(name: $0.name.canonicalName, value: $0.value)
            }, body: Array(text.utf8))
        // What was begun is begun: until it is written down, the key's job answers for it.
        await deferred.perform("an answer can't be kept for its idempotency key") { [state] in
            try await state.complete(key: key, subject: call.subject, response: response)
        }
        return reply
    }

    private static func replayed(_ stored: StoredResponse) -> Reply {
        var headers = HTTPFields()
        for header in stored.headers {
            if let name = HTTPField.Name(header.name) { headers[name] = header.value }
        }
        headers[.idempotencyReplayed] = "true"
        return Reply(
            status: HTTPResponse.Status(code: stored.status), headers: headers,
            content: .text(String(decoding: stored.body, as: UTF8.self)))
    }
}
