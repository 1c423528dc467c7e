internal import AccessControl
internal import Foundation
internal import HTTPTypes
internal import ServiceState
internal import SnapshotJSON

/// One thing that can be asked of the service: how it is asked for, who may, what comes back. The
/// routes, the checks and the OpenAPI document are all made of this.
struct Endpoint: Sendable {
    /// How it is asked for.
    var method: HTTPRequest.Method
    /// Where, with parameters in braces.
    var path: String
    /// A name that is unique among all, for programs that are generated from the document.
    var id: String
    /// The group that the documentation shows it in.
    var group: String
    /// What it does, in one line.
    var summary: String
    /// The rest of what is to be known; may be empty.
    var details = ""
    /// Who may.
    var access: Access
    /// What is given beside the body.
    var parameters: [Parameter] = []
    /// What is given in the body; nil for nothing.
    var body: Body?
    /// What may come back, beside what may come back of all.
    var replies: [ReplyDescription]
    /// What the audit log calls it; nil for what only reads.
    var auditedAs: String?
    /// Whether a repetition with the same `Idempotency-Key` is answered without doing it again.
    var takesIdempotencyKey = false
    /// Whether it is answered however often it is asked for.
    var isUnlimited = false
    /// Does it.
    var handle: @Sendable (Call) async throws -> Reply
    /// Answers for the job that an earlier request with the same key had begun when the process
    /// died before it could answer; nil for endpoints that begin none.
    var answer: (@Sendable (JobRecord, Call) async throws -> Reply)?

    /// Who may use an endpoint.
    enum Access: Sendable {
        /// Everybody.
        case open
        /// Who has a token.
        case authenticated
        /// Who has a token whose role has this permission.
        case permitted(Permission)
    }

    /// What is given beside the body.
    struct Parameter: Sendable {
        var place: FieldError.Place
        var name: String
        var schema: Schema
        var isRequired = false
        var description: String
    }

    /// What is given in the body.
    struct Body: Sendable {
        var schema: Schema
        /// Whether the body may be left out, which is as an empty object.
        var isRequired: Bool
        /// One that may be sent.
        var example: JSONValue
        /// Finds what only the layers below can judge, in a body that fits the schema but may lack
        /// fields that it requires; throws `RequestErrors`.
        var judge: @Sendable (Data) throws -> Void = { _ in }
        /// Which member of the same object says what a member may be.
        var dependencies: [String: String] = [:]
    }

    /// What may come back.
    struct ReplyDescription: Sendable {
        var status: HTTPResponse.Status
        var description: String
        /// The shape of a JSON body; nil for another kind of body, or none.
        var schema: Schema?
        /// The type of another kind of body; nil for none.
        var contentType: String?
        /// Headers of note and what they say.
        var headers: [String: String] = [:]
    }
}

extension Endpoint.Parameter {
    /// A part of the path.
    static func path(_ name: String, _ schema: Schema, _ description: String) -> Self {
        Self(place: .path, name: name, schema: schema, isRequired: true, description: description)
    }

    /// A part of the query.
    static func query(_ name: String, _ schema: Schema, _ description: String) -> Self {
        Self(place: .query, name: name, schema: schema, description: description)
    }

    /// A header.
    static func header(_ name: String, _ schema: Schema, _ description: String) -> Self {
        Self(place: .header, name: name, schema: schema, description: description)
    }
}

extension Endpoint.ReplyDescription {
    /// A JSON body.
    static func json(
        _ status: HTTPResponse.Status, _ schema: Schema, _ description: String,
        headers: [String: String] = [:]
    ) -> Self {
        Self(status: status, description: description, schema: schema, headers: headers)
    }

    /// A problem that this endpoint may have, beside those that all have.
    static func problem(
        _ status: HTTPResponse.Status, _ description: String, headers: [String: String] = [:]
    ) -> Self {
        Self(
            status: status, description: description, schema: .named("Problem"),
            contentType: "application/problem+json", headers: headers)
    }

    /// Another kind of body.
    static func other(
        _ status: HTTPResponse.Status, _ contentType: String?, _ description: String,
        headers: [String: String] = [:]
    ) -> Self {
        Self(
            status: status, description: description, contentType: contentType, headers: headers)
    }
}
