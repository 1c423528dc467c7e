internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import SnapshotJSON

/// Why a request is not answered as asked: `application/problem+json` (RFC 9457).
struct Problem: Error, Sendable {
    /// The HTTP status.
    var status: HTTPResponse.Status
    /// A stable word for the kind of problem; new ones may be added.
    var code: String
    /// This occurrence in a sentence: what failed and what to do; never a secret, a document's
    /// contents or a path of the service's machine.
    var detail: String
    /// Every field that is wrong.
    var fields: [FieldError] = []
    /// What the answer has beside its body, such as `Retry-After`.
    var headers = HTTPFields()

    init(
        _ status: HTTPResponse.Status, _ code: String, _ detail: String,
        fields: [FieldError] = [], headers: HTTPFields = HTTPFields()
    ) {
        self.status = status
        self.code = code
        self.detail = detail
        self.fields = fields
        self.headers = headers
    }

    /// A request whose fields are not as they have to be; of very many, the first are named.
    static func invalid(_ fields: [FieldError]) -> Problem {
        Problem(
            .unprocessableContent, "invalid_request",
            fields.count == 1 ? "a field is not valid" : "\(fields.count) fields are not valid",
            fields: Array(fields.prefix(SchemaValidation.errorCountMax)))
    }

    /// A field that only the code that uses it can judge.
    static func invalid(_ place: FieldError.Place, _ field: String, _ message: String) -> Problem {
        invalid([FieldError(place: place, field: field, message: message)])
    }

    /// Nothing is known by that name.
    static func notFound(_ detail: String) -> Problem { Problem(.notFound, "not_found", detail) }

    /// The shape of its body.
    static let schema = Schema.object([
        .required("type", .text.saying("A URI reference of the kind of problem.")),
        .required("title", .text.saying("The status in words.")),
        .required("status", .integer(400...599)),
        .required("code", .text.saying("A stable word for the kind of problem.")),
        .required("detail", .text.saying("What failed and what to do.")),
        .required("request_id", .text.saying("Names the request in the service's logs.")),
        Schema.Property(
            "errors",
            .array(
                .object([
                    .required("in", .word("body", "query", "path", "header")),
                    .required("field", .text.saying("A JSON pointer, or a parameter's name.")),
                    .required("message", .text),
                ]), countMax: SchemaValidation.errorCountMax
            ).saying("Every field that is not valid.")),
    ])

    /// The type of its body.
    static let contentType = "application/problem+json"

    /// The answer.
    ///
    /// - Parameter requestID: names the request.
    func response(_ requestID: String) -> Response {
        var headers = headers
        headers[.contentType] = Self.contentType
        return Response(
            status: status, headers: headers,
            body: ResponseBody(byteBuffer: ByteBuffer(string: text(requestID))))
    }

    /// Its body.
    ///
    /// - Parameter requestID: names the request.
    func text(_ requestID: String) -> String {
        var members: [JSONValue.Member] = [
            JSONValue.Member("type", .string(ProblemKinds.reference(code))),
            JSONValue.Member("title", .string(status.reasonPhrase)),
            JSONValue.Member("status", .count(status.code)),
            JSONValue.Member("code", .string(code)),
            JSONValue.Member("detail", .string(detail)),
            JSONValue.Member("request_id", .string(requestID)),
        ]
        if !fields.isEmpty {
            members.append(JSONValue.Member("errors", .array(fields.map(\.json))))
        }
        return JSONValue.object(members).text
    }
}

extension FieldError {
    fileprivate var json: JSONValue {
        .object([
            "in": .string(place.rawValue), "field": .string(field), "message": .string(message),
        ])
    }
}
