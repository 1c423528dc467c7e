internal import AccessControl
internal import Foundation
internal import HTTPTypes

/// A request whose token, permission, parameters and body have been checked.
struct Call: Sendable {
    /// Who asks; nil only where everybody may.
    var caller: Caller?
    /// Names the request, for logs and answers.
    var requestID: String
    /// The address that it came from.
    var address: String
    /// Parameters by name, as text that fits their schema.
    var parameters: [String: String]
    /// The request's headers.
    var headers: HTTPFields
    /// JSON that fits the schema; an empty object where there is no body.
    var body: Data
    /// The key under which it may be repeated; nil without one.
    var idempotencyKey: String?

    /// Who asks, by name.
    var subject: String { caller?.subject ?? "" }

    /// A parameter's text; nil when it was not given.
    func text(_ name: String) -> String? { parameters[name] }

    /// A parameter's number; nil when it was not given.
    func number(_ name: String) -> Int? { parameters[name].flatMap { Int($0) } }

    /// Whether a parameter says true.
    func flag(_ name: String) -> Bool { parameters[name] == "true" }

    /// The text of a parameter that is always there.
    func required(_ name: String) -> String {
        guard let text = parameters[name] else {
            preconditionFailure("\(name) is no required parameter of this endpoint")
        }
        return text
    }

    /// The body as a value.
    ///
    /// - Throws: `Problem` for numbers that are too large for the value.
    func decoded<Value: Decodable>(as type: Value.Type = Value.self) throws -> Value {
        try Self.decoded(body, as: type)
    }

    /// A body as a value.
    ///
    /// - Throws: `Problem` for numbers that are too large for the value.
    static func decoded<Value: Decodable>(
        _ body: Data, as type: Value.Type = Value.self
    ) throws -> Value {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        do {
            return try decoder.decode(type, from: body)
        } catch let error as DecodingError {
            throw Problem.invalid(.body, pointer(error), "can't be understood")
        }
    }

    private static func pointer(_ error: DecodingError) -> String {
        let path: [any CodingKey] =
            switch error {
            case .typeMismatch(_, let context), .valueNotFound(_, let context),
                .keyNotFound(_, let context), .dataCorrupted(let context):
                context.codingPath
            @unknown default: []
            }
        return path.map { "/\($0.intValue.map(String.init) ?? $0.stringValue)" }.joined()
    }

    /// How many seconds the caller would wait for an answer (RFC 7240), at most `limit`; nil when
    /// nothing is said.
    func preferredWait(limit: Int) -> Int? {
        let preferences = (headers[values: .prefer].joined(separator: ",")).lowercased()
        for part in preferences.split(whereSeparator: { $0 == "," || $0 == ";" }) {
            let words = part.split(separator: "=", maxSplits: 1).map {
                $0.trimmingCharacters(in: .whitespaces)
            }
            if words.count == 2, words[0] == "wait",
                let seconds = WholeNumber.value(parameter: words[1]), seconds >= 0
            {
                return min(seconds, limit)
            }
        }
        return nil
    }
}

extension HTTPField.Name {
    /// What a client would like (RFC 7240).
    static let prefer = requiredName("Prefer")
    /// Where a proxy was asked from.
    static let xForwardedFor = requiredName("X-Forwarded-For")
    /// Which preference was honoured.
    static let preferenceApplied = requiredName("Preference-Applied")
    /// The key of a request that may be repeated.
    static let idempotencyKey = requiredName("Idempotency-Key")
    /// Whether the answer is that of an earlier request.
    static let idempotencyReplayed = requiredName("Idempotency-Replayed")
    /// The name of a request.
    static let requestID = requiredName("X-Request-Id")
    /// How much a client may ask still.
    static let rateLimit = requiredName("RateLimit")
    /// How much it may ask in all.
    static let rateLimitPolicy = requiredName("RateLimit-Policy")
    /// Whether a proxy may keep an answer back until there is more of it (nginx).
    static let accelBuffering = requiredName("X-Accel-Buffering")
    /// How many strings of a document are not UTF-8.
    static let invalidStrings = requiredName("X-Invalid-Strings")
    /// The last event that a client has seen.
    static let lastEventID = requiredName("Last-Event-ID")

    private static func requiredName(_ text: String) -> HTTPField.Name {
        guard let name = HTTPField.Name(text) else {
            preconditionFailure("\(text) is no name of a header")
        }
        return name
    }
}
