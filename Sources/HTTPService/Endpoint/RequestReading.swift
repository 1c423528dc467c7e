internal import ExtendedJSON
internal import Foundation
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import Operations
internal import SnapshotJSON

/// Takes out of a request what its endpoint asks for; all that is wrong is told at once.
struct RequestReading {
    /// The endpoint that is asked for.
    let endpoint: Endpoint
    /// The most bytes of a body.
    let bodyByteCountMax: Int
    /// How long a client may take to send it.
    let bodySecondsMax: Int

    /// Parameters by name, and the body.
    ///
    /// - Throws: `Problem` 400, 408, 413, 415, 422.
    func read(_ request: Request) async throws -> (parameters: [String: String], body: Data) {
        var errors: [FieldError] = []
        var parameters = pathParameters(request.uri.path, &errors)
        readQuery(request.uri.query ?? "", &parameters, &errors)
        readHeaders(request.headers, &parameters, &errors)
        let body = try await readBody(request, &errors)
        guard errors.isEmpty else { throw Problem.invalid(errors) }
        return (parameters, body)
    }

    /// What the path names, for the audit log; nil when it is not as it has to be.
    func resource(_ path: String) -> String? {
        var errors: [FieldError] = []
        let parameters = pathParameters(path, &errors)
        return errors.isEmpty ? parameters["backup_id"] ?? parameters["job_id"] : nil
    }

    /// Writes down what exactly is asked for, for the audit log.
    func note(_ parameters: [String: String], _ body: Data, in details: inout AuditDetails) {
        let resources: Set = ["backup_id", "job_id"]
        details.parameters = parameters.filter { name, _ in
            !resources.contains(name)
                && endpoint.parameters.contains { $0.name == name && $0.place != .header }
        }
        guard endpoint.body != nil else { return }
        do {
            let value = try JSONSerialization.jsonObject(with: body)
            let line = try JSONSerialization.data(
                withJSONObject: value, options: [.sortedKeys, .withoutEscapingSlashes])
            details.request = String(decoding: line, as: UTF8.self)
        } catch {
            // It was read as JSON before, so that this is about numbers without end or the like.
            details.request = JSONValue.string("omitted: \(body.count) bytes").text
        }
    }

    // MARK: Parameters

    private func pathParameters(
        _ path: String, _ errors: inout [FieldError]
    ) -> [String: String] {
        var parameters: [String: String] = [:]
        for (pattern, text) in zip(endpoint.path.split(separator: "/"), path.split(separator: "/"))
        where pattern.hasPrefix("{") {
            let name = String(pattern.dropFirst().dropLast())
            guard let value = text.removingPercentEncoding else {
                errors.append(
                    FieldError(place: .path, field: name, message: "is not percent-encoded UTF-8"))
                continue
            }
            take(name, value, .path, &parameters, &errors)
        }
        return parameters
    }

    private func readQuery(
        _ query: String, _ parameters: inout [String: String], _ errors: inout [FieldError]
    ) {
        for part in query.split(separator: "&") {
            guard errors.count < SchemaValidation.errorCountMax else { return }
            let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                .map { $0.replacing("+", with: " ").removingPercentEncoding }
            guard let first = pair.first, let name = first else {
                errors.append(
                    FieldError(place: .query, field: "", message: "is not percent-encoded UTF-8"))
                continue
            }
            let known = endpoint.parameters.contains { $0.place == .query && $0.name == name }
            let shown = known ? name : String(name.filter { $0.isLetter || $0 == "_" }.prefix(64))
            guard known else {
                errors.append(
                    FieldError(place: .query, field: shown, message: "is not a parameter"))
                continue
            }
            guard parameters[name] == nil else {
                errors.append(FieldError(place: .query, field: name, message: "is there twice"))
                continue
            }
            guard pair.count == 2, let value = pair[1] else {
                errors.append(FieldError(place: .query, field: name, message: "has no value"))
                continue
            }
            take(name, value, .query, &parameters, &errors)
        }
        for parameter in endpoint.parameters
        where parameter.place == .query && parameter.isRequired {
            guard parameters[parameter.name] == nil else { continue }
            errors.append(
                FieldError(place: .query, field: parameter.name, message: "is missing"))
        }
    }

    private func readHeaders(
        _ headers: HTTPFields, _ parameters: inout [String: String], _ errors: inout [FieldError]
    ) {
        for parameter in endpoint.parameters where parameter.place == .header {
            guard let name = HTTPField.Name(parameter.name), let value = headers[name] else {
                continue
            }
            take(parameter.name, value, .header, &parameters, &errors)
        }
    }

    private func take(
        _ name: String, _ value: String, _ place: FieldError.Place,
        _ parameters: inout [String: String], _ errors: inout [FieldError]
    ) {
        guard
            let parameter = endpoint.parameters.first(where: {
                $0.name == name && $0.place == place
            })
        else { preconditionFailure("\(endpoint.id) does not describe its parameter \(name)") }
        var validation = SchemaValidation(place)
        validation.check(parameter: value, parameter.schema, at: name)
        errors += validation.errors
        parameters[name] = value
    }

    // MARK: Body

    private func readBody(
        _ request: Request, _ errors: inout [FieldError]
    ) async throws -> Data {
        let bytes = try await collect(request)
        guard let body = endpoint.body else {
            // A body where none is expected is read over, as servers do.
            return Data("{}".utf8)
        }
        guard !bytes.isEmpty else {
            guard !body.isRequired else {
                throw Problem(.badRequest, "no_body", "this endpoint needs a JSON body")
            }
            return Data("{}".utf8)
        }
        guard isJSON(request.headers[.contentType]) else {
            throw Problem(
                .unsupportedMediaType, "not_json", "the body has to be of type application/json")
        }
        let node: JSONNode
        do throws(ExtendedJSONError) {
            var reader = JSONReader(bytes)
            node = try reader.readText()
        } catch {
            throw Problem(.badRequest, "malformed_json", "the body is not JSON: \(error)")
        }
        var validation = SchemaValidation(.body)
        validation.check(node, body.schema, at: "")
        errors += validation.errors
        // Of a body with so many faults a part was not looked at, which the layers below would be
        // the first to see.
        guard !validation.hasEnded else { return Data(bytes) }
        let sound = SoundPart(
            of: node, without: validation.errors.map(\.field), dependencies: body.dependencies)
        let noted = Set(validation.errors.map(\.field))
        errors += try Self.judged(body, sound).filter { !noted.contains($0.field) }
        // Numbers are in one form there; with errors it does not matter.
        return sound.data
    }

    /// What the layers below find wrong with what is well-formed.
    private static func judged(
        _ body: Endpoint.Body, _ sound: SoundPart
    ) throws -> [FieldError] {
        // Of a body that is no object nothing is left.
        guard !sound.data.isEmpty else { return [] }
        do {
            try body.judge(sound.data)
            return []
        } catch let errors as RequestErrors {
            return errors.errors.map {
                FieldError(
                    place: .body, field: sound.place(ofField: $0.field), message: $0.message)
            }
        }
    }

    private func isJSON(_ type: String?) -> Bool {
        let name = type?.split(separator: ";").first?.trimmingCharacters(in: .whitespaces)
        return name?.lowercased() == "application/json"
    }

    private func collect(_ request: Request) async throws -> [UInt8] {
        let limit = bodyByteCountMax
        if let length = request.headers[.contentLength].flatMap(Int.init), length > limit {
            throw Self.tooLarge(limit)
        }
        let body = request.body
        return try await withDeadline(seconds: bodySecondsMax) {
            do {
                return try await Self.bytes(of: body, limit: limit)
            } catch let error where !(error is Problem || error is CancellationError) {
                // What the parser could not read, or a client that has gone: no fault of ours.
                throw Problem(
                    .badRequest, "malformed_body", "the body can't be read",
                    headers: [.connection: "close"])
            }
        } orThrow: {
            Problem(
                .requestTimeout, "body_timeout",
                "the body did not arrive within \(bodySecondsMax) seconds",
                headers: [.connection: "close"])
        }
    }

    private static func bytes(of body: RequestBody, limit: Int) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        for try await buffer in body {
            guard bytes.count + buffer.readableBytes <= limit else { throw tooLarge(limit) }
            bytes += buffer.readableBytesView
        }
        return bytes
    }

    private static func tooLarge(_ limit: Int) -> Problem {
        Problem(
            .contentTooLarge, "body_too_large", "the body has more than \(limit) bytes",
            headers: [.connection: "close"])
    }
}

/// Gives `body` so much time.
///
/// - Throws: what `body` throws; what `error` gives when the time is over, once `body` has ended,
///   which is cancelled then.
func withDeadline<Result: Sendable>(
    seconds: Int, _ body: @escaping @Sendable () async throws -> Result,
    orThrow error: @escaping @Sendable () -> any Error
) async throws -> Result {
    try await withThrowingTaskGroup(of: Result?.self) { group in
        group.addTask { try await body() }
        group.addTask {
            try await Task.sleep(for: .seconds(seconds))
            return nil
        }
        defer { group.cancelAll() }
        guard let first = try await group.next(), let result = first else {
            throw error()
        }
        return result
    }
}
