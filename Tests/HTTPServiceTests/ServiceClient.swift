internal import AccessControl
internal import ExtendedJSON
internal import Foundation
internal import HTTPTypes
internal import Testing

@testable internal import HTTPService

/// Asks a service; each answer is checked against what its endpoint says of its answers.
struct ServiceClient: Sendable {
    let fixture: ServiceFixture
    let service: CairnService
    let transport: any Transport

    /// Where the service listens; only over a socket.
    var port: Int { get throws { try #require(transport.port) } }

    /// What is sent beside method and path.
    struct Extras: Sendable {
        /// Whose token is sent; nil for none.
        var role: Role? = .superAdmin
        /// Another token than that role's.
        var token: String?
        var headers: [String: String] = [:]
        var body: String?
        /// Of the body; nil for none.
        var contentType: String? = "application/json"
    }

    func get(
        _ path: String, as role: Role? = .superAdmin, headers: [String: String] = [:],
        source: SourceLocation = #_sourceLocation
    ) async throws -> Answer {
        try await send(.get, path, Extras(role: role, headers: headers), source)
    }

    func post(
        _ path: String, _ body: String? = nil, as role: Role? = .superAdmin,
        headers: [String: String] = [:], source: SourceLocation = #_sourceLocation
    ) async throws -> Answer {
        try await send(.post, path, Extras(role: role, headers: headers, body: body), source)
    }

    func put(
        _ path: String, _ body: String? = nil, as role: Role? = .superAdmin,
        source: SourceLocation = #_sourceLocation
    ) async throws -> Answer {
        try await send(.put, path, Extras(role: role, body: body), source)
    }

    func delete(
        _ path: String, as role: Role? = .superAdmin, source: SourceLocation = #_sourceLocation
    ) async throws -> Answer {
        try await send(.delete, path, Extras(role: role), source)
    }

    /// - Parameter path: under the base path, unless it begins at the root.
    func send(
        _ method: HTTPRequest.Method, _ path: String, _ extras: Extras = Extras(),
        _ source: SourceLocation = #_sourceLocation
    ) async throws -> Answer {
        let uri = path.hasPrefix("/") ? path : "\(BasePath.text)/\(path)"
        var headers = HTTPFields()
        if let token = extras.token ?? extras.role.flatMap({ fixture.tokens[$0] }) {
            headers[.authorization] = "Bearer \(token)"
        }
        if extras.body != nil { headers[.contentType] = extras.contentType }
        for (name, value) in extras.headers {
            headers[try #require(HTTPField.Name(name))] = value
        }
        let answer = try await transport.answer(method, uri, headers, extras.body)
        let check = AnswerCheck(endpoints: service.endpoints, fixture: fixture)
        let problems = check.problems(method, uri, answer)
        if !problems.isEmpty {
            Issue.record(
                "\(method) \(uri): \(problems.joined(separator: "; "))\n\(answer)",
                sourceLocation: source)
        }
        return answer
    }

    // MARK: What tests begin with

    /// A backup that has ended.
    ///
    /// - Returns: its identifier.
    func makeBackup(
        _ body: String? = nil, source: SourceLocation = #_sourceLocation
    ) async throws -> String {
        let started = try await post(
            "backup/create", body ?? fixture.backupBody, headers: ["Prefer": "wait=60"],
            source: source)
        try #require([200, 202].contains(started.status), "\(started)", sourceLocation: source)
        let job = try await ended(try started.string("job_id"), source: source)
        try #require(try job.string("status") == "SUCCEEDED", "\(job)", sourceLocation: source)
        return try job.string("backup_id")
    }

    /// A job once it has ended.
    func ended(_ job: String, source: SourceLocation = #_sourceLocation) async throws -> Answer {
        // Several times, for machines that do much else.
        for _ in 0..<5 {
            let answer = try await get(
                "jobs/\(job)", headers: ["Prefer": "wait=60"], source: source)
            let status = try answer.string("status")
            if status != "PENDING" && status != "IN_PROGRESS" { return answer }
        }
        return try #require(nil, "the job \(job) did not end", sourceLocation: source)
    }
}

/// What came back.
struct Answer: Sendable, CustomStringConvertible {
    var status: Int
    var headers: HTTPFields
    var text: String

    var description: String { "\(status) \(text.prefix(2000))" }

    func header(_ name: String) -> String? { HTTPField.Name(name).flatMap { headers[$0] } }

    var json: JSONNode {
        get throws {
            var reader = JSONReader(Array(text.utf8))
            return try reader.readText()
        }
    }

    /// The value at the end of those names and positions.
    func value(_ path: String...) throws -> JSONNode { try json.value(path) }
    func string(_ path: String...) throws -> String {
        try #require(try json.value(path).string, "\(path) in \(self)")
    }
    func number(_ path: String...) throws -> Int {
        try #require(try json.value(path).number.flatMap { Int($0) }, "\(path) in \(self)")
    }
    func count(_ path: String...) throws -> Int { try json.value(path).items.count }

    /// Which fields a 422 finds fault with, as `place field`, sorted.
    var faults: [String] {
        get throws {
            try value("errors").items.map {
                "\(try $0.value(["in"]).string ?? "") \(try $0.value(["field"]).string ?? "")"
            }.sorted()
        }
    }
}

extension JSONNode {
    /// Of an array.
    var items: [JSONNode] {
        if case .array(let nodes) = kind { nodes } else { [] }
    }

    /// Of an object.
    var members: [(name: String, node: JSONNode)] {
        if case .object(let members) = kind { members } else { [] }
    }

    /// What it says, whatever it is, for `true` and `false`.
    var kindText: String {
        if case .bool(let value) = kind { "\(value)" } else { "\(kind)" }
    }

    var isNull: Bool {
        if case .null = kind { true } else { false }
    }

    func value(_ path: [String]) throws -> JSONNode {
        var node = self
        for step in path {
            if let position = Int(step), node.items.indices.contains(position) {
                node = node.items[position]
            } else {
                node = try #require(
                    node.members.first { $0.name == step }?.node, "there is no \(step) in \(node)")
            }
        }
        return node
    }
}
