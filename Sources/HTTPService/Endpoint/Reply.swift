internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import SnapshotJSON

/// What an endpoint answers.
struct Reply: Sendable {
    /// The HTTP status.
    var status: HTTPResponse.Status
    /// Beside those that every answer has.
    var headers = HTTPFields()
    /// What follows.
    var content = Content.nothing
    /// What the audit log shall know beside who, when, from where and what: the thing that was
    /// changed.
    var resource: String?

    /// What an answer holds.
    enum Content: Sendable {
        case nothing
        /// A text, as `headers` says of what type; may be given again for the same idempotency key.
        case text(String)
        /// Something that is written as it is read, of so many bytes, if that is known.
        case stream(
            byteCount: Int?, @Sendable (BodyWriter) async throws -> Void)
    }

    /// A JSON value.
    static func json(
        _ value: JSONValue, _ status: HTTPResponse.Status = .ok, headers: HTTPFields = HTTPFields()
    ) -> Reply {
        text(value.text, type: "application/json", status, headers: headers)
    }

    /// A text of any type.
    static func text(
        _ text: String, type: String, _ status: HTTPResponse.Status = .ok,
        headers: HTTPFields = HTTPFields()
    ) -> Reply {
        var headers = headers
        headers[.contentType] = type
        return Reply(status: status, headers: headers, content: .text(text))
    }

    /// The same for the server.
    var response: Response {
        let body: ResponseBody =
            switch content {
            case .nothing: ResponseBody()
            case .text(let text): ResponseBody(byteBuffer: ByteBuffer(string: text))
            case .stream(let byteCount, let write):
                ResponseBody(contentLength: byteCount) { writer in
                    let body = BodyWriter(writer)
                    try await write(body)
                    try await body.finish()
                }
            }
        return Response(status: status, headers: headers, body: body)
    }
}
