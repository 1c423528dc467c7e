internal import AccessControl
internal import HTTPTypes
internal import SnapshotJSON

/// The endpoints as an OpenAPI 3.1 document.
struct OpenAPIDocument {
    let endpoints: [Endpoint]
    /// The program's version.
    let version: String
    private let title = "Cairn"

    /// The document.
    var json: JSONValue {
        .object([
            "openapi": .string("3.1.0"),
            "info": .object([
                "title": .string(title), "version": .string(version),
                "summary": .string("Backs up, inspects and restores MongoDB."),
                "description": .string(Self.introduction),
                "license": .object([
                    "name": .string("Apache-2.0"), "identifier": .string("Apache-2.0"),
                ]),
            ]),
            "servers": .array([.object(["url": .string("/")])]),
            "tags": .array(groups.map { .object(["name": .string($0)]) }),
            "paths": .object(paths),
            "components": .object([
                "schemas": .object(
                    ReplySchemas.all.map { name, schema in
                        JSONValue.Member(name, Self.shape(name, schema))
                    }),
                "securitySchemes": .object([
                    "bearer": .object([
                        "type": .string("http"), "scheme": .string("bearer"),
                        "bearerFormat": .string("JWT"),
                    ])
                ]),
            ]),
        ])
    }

    /// What holds for all endpoints.
    static let introduction = """
        Long work is a job: the answer is 202 with its place in `Location`, and `Prefer: wait=N` \
        waits for its end. Moments are ISO 8601 in UTC, sizes are bytes. Problems are \
        `application/problem+json` (RFC 9457) with a stable `code`; a 422 names every field that \
        is not valid. Every answer has an `X-Request-Id`, the caller's own when it sends one.
        """

    private static func shape(_ name: String, _ schema: Schema) -> JSONValue {
        guard let example = ReplyExamples.all[name] else { return schema.json }
        return schema.json(example: example)
    }

    private var groups: [String] {
        endpoints.map(\.group).reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    }

    private var paths: [JSONValue.Member] {
        var order: [String] = []
        for endpoint in endpoints where !order.contains(endpoint.path) {
            order.append(endpoint.path)
        }
        return order.map { path in
            JSONValue.Member(
                path,
                .object(
                    endpoints.filter { $0.path == path }.map { endpoint in
                        JSONValue.Member(
                            endpoint.method.rawValue.lowercased(), operation(endpoint))
                    }))
        }
    }

    private func operation(_ endpoint: Endpoint) -> JSONValue {
        var members = [
            JSONValue.Member("operationId", .string(endpoint.id)),
            JSONValue.Member("tags", .array([.string(endpoint.group)])),
            JSONValue.Member("summary", .string(endpoint.summary)),
        ]
        let details = [endpoint.details, endpoint.permissionSentence].filter { !$0.isEmpty }
        if !details.isEmpty {
            members.append(
                JSONValue.Member("description", .string(details.joined(separator: "\n\n"))))
        }
        let security: [JSONValue] =
            endpoint.isOpen ? [] : [.object(["bearer": .array([])])]
        members.append(JSONValue.Member("security", .array(security)))
        if !endpoint.parameters.isEmpty {
            members.append(
                JSONValue.Member("parameters", .array(endpoint.parameters.map(Self.parameter))))
        }
        if let body = endpoint.body {
            members.append(JSONValue.Member("requestBody", Self.body(body)))
        }
        members.append(JSONValue.Member("responses", .object(replies(endpoint))))
        return .object(members)
    }

    private static func parameter(_ parameter: Endpoint.Parameter) -> JSONValue {
        .object([
            "name": .string(parameter.name), "in": .string(parameter.place.rawValue),
            "required": .bool(parameter.isRequired), "schema": parameter.schema.json,
            "description": .string(parameter.description),
        ])
    }

    private static func body(_ body: Endpoint.Body) -> JSONValue {
        .object([
            "required": .bool(body.isRequired),
            "content": .object([
                "application/json": .object([
                    "schema": body.schema.json, "example": body.example,
                ])
            ]),
        ])
    }

    /// Several descriptions of one status are one, for a document has each status once.
    private func replies(_ endpoint: Endpoint) -> [JSONValue.Member] {
        let all = endpoint.replies + endpoint.commonProblems
        let statuses = all.map(\.status.code).reduce(into: [Int]()) {
            if !$0.contains($1) { $0.append($1) }
        }
        return statuses.sorted().map { status in
            JSONValue.Member(
                String(status), Self.reply(all.filter { $0.status.code == status }))
        }
    }

    /// The header that every answer has.
    private static let requestID = HTTPField.Name.requestID.rawName

    private static func reply(_ descriptions: [Endpoint.ReplyDescription]) -> JSONValue {
        var members = [
            JSONValue.Member(
                "description",
                .string(descriptions.map(\.description).joined(separator: " ")))
        ]
        var headers = descriptions.flatMap { $0.headers.sorted { $0.key < $1.key } }
        headers.append((requestID, "Names the request in the service's logs."))
        members.append(
            JSONValue.Member(
                "headers",
                .object(
                    headers.map { name, description in
                        JSONValue.Member(
                            name,
                            .object([
                                "description": .string(description),
                                "required": .bool(name == requestID),
                                "schema": .object(["type": .string("string")]),
                            ]))
                    })))
        let content = content(descriptions)
        if !content.isEmpty { members.append(JSONValue.Member("content", .object(content))) }
        return .object(members)
    }

    /// By type, for one status may be that of an answer and of a problem.
    private static func content(
        _ descriptions: [Endpoint.ReplyDescription]
    ) -> [JSONValue.Member] {
        descriptions.reduce(into: []) { members, description in
            guard description.schema != nil || description.contentType != nil else { return }
            let type = description.contentType ?? "application/json"
            guard !members.contains(where: { $0.name == type }) else { return }
            members.append(
                JSONValue.Member(
                    type, .object(["schema": description.schema?.json ?? .object([])])))
        }
    }
}

extension Endpoint {
    /// Whether everybody may use it.
    var isOpen: Bool {
        if case .open = access { true } else { false }
    }

    /// Who may, in words.
    var permissionSentence: String {
        switch access {
        case .open: "Needs no token."
        case .authenticated: "Needs a token of any role."
        case .permitted(let permission): "Needs the permission `\(permission.description)`."
        }
    }

    /// What may come back of every endpoint of its kind.
    var commonProblems: [ReplyDescription] {
        Self.problemsOfAll.filter { $0.isOf(self) }.map(\.problem)
    }

    /// A problem of many endpoints: of which, and the same in words.
    struct CommonProblem: Sendable {
        let problem: ReplyDescription
        let condition: String
        let isOf: @Sendable (Endpoint) -> Bool

        fileprivate init(
            _ problem: ReplyDescription, _ condition: String = "",
            if isOf: @escaping @Sendable (Endpoint) -> Bool = { _ in true }
        ) {
            self.problem = problem
            self.condition = condition
            self.isOf = isOf
        }
    }

    /// What may come back of any endpoint that it can come back of.
    static let problemsOfAll: [CommonProblem] = [
        CommonProblem(
            .problem(
                .unauthorized, "There is no token, or it is not valid.",
                headers: ["WWW-Authenticate": "Which kind of token is needed."]),
            "Where a token is needed.", if: { !$0.isOpen }),
        CommonProblem(
            .problem(.forbidden, "The token's role does not have the permission."),
            "Where a token is needed.", if: { !$0.isOpen }),
        CommonProblem(
            .problem(
                .badRequest, "It is not HTTP/1.1 with one host, or its body is not JSON.")),
        CommonProblem(.problem(.requestTimeout, "The body did not arrive in time.")),
        CommonProblem(.problem(.contentTooLarge, "The body is too large.")),
        CommonProblem(
            .problem(.requestHeaderFieldsTooLarge, "The path or the headers are too large.")),
        CommonProblem(
            .problem(.unsupportedMediaType, "The body is of another type than JSON."),
            "Where there is a body.", if: { $0.body != nil }),
        CommonProblem(
            .problem(
                .unprocessableContent, "Fields are not valid, or unknown here.")),
        CommonProblem(
            .problem(.conflict, "The first request with this key is still under way."),
            "With an `Idempotency-Key`.", if: { $0.takesIdempotencyKey }),
        CommonProblem(
            .problem(
                .tooManyRequests, "Too many requests, or streams of this subject.",
                headers: ["Retry-After": "How many seconds to wait."])),
        CommonProblem(.problem(.internalServerError, "Something went wrong inside.")),
        CommonProblem(
            .problem(
                .serviceUnavailable,
                "The service is shutting down or too busy, its repository is gone, or there is no "
                    + "space to write down what is asked for: then nothing is done.")),
    ]
}
