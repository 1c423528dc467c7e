internal import ExtendedJSON
internal import Foundation
internal import HTTPTypes

@testable internal import HTTPService

/// Whether an answer is one that the interface's description promises.
struct AnswerCheck {
    let endpoints: [Endpoint]
    let fixture: ServiceFixture

    /// All that is wrong with it.
    func problems(_ method: HTTPRequest.Method, _ uri: String, _ answer: Answer) -> [String] {
        let path = String(uri.prefix { $0 != "?" })
        let endpoint = endpoint(method, path)
        return headers(answer, endpoint) + leaks(answer, endpoint)
            + (method == .head ? head(answer) : body(answer, descriptions(endpoint, answer.status)))
            + status(answer, endpoint, path)
    }

    /// The one that is asked for: of those whose path fits, those with the fewest parameters are
    /// meant, and of those the one with the method.
    private func endpoint(_ method: HTTPRequest.Method, _ path: String) -> Endpoint? {
        let method = method == .head ? .get : method
        let parts = path.split(separator: "/")
        let fitting = endpoints.filter { endpoint in
            let pattern = endpoint.path.split(separator: "/")
            return pattern.count == parts.count
                && zip(pattern, parts).allSatisfy { $0.hasPrefix("{") || $0 == $1 }
        }
        let fewest = fitting.map { $0.path.count { $0 == "{" } }.min()
        return fitting.first {
            $0.path.count { $0 == "{" } == fewest && $0.method == method
        }
    }

    private func descriptions(
        _ endpoint: Endpoint?, _ status: Int
    ) -> [Endpoint.ReplyDescription] {
        guard let endpoint else {
            return [.problem(.init(code: status), "")]
        }
        return (endpoint.replies + endpoint.commonProblems).filter { $0.status.code == status }
    }

    private func status(_ answer: Answer, _ endpoint: Endpoint?, _ path: String) -> [String] {
        var problems: [String] = []
        if let endpoint {
            if descriptions(endpoint, answer.status).isEmpty {
                problems.append("\(endpoint.id) does not describe the status \(answer.status)")
            }
        } else if answer.status != 404 && answer.status != 405 {
            problems.append("there is no such endpoint, but it answers")
        }
        let needed: [Int: [String]] = [
            202: ["Location"], 401: ["WWW-Authenticate"], 405: ["Allow"],
            429: ["Retry-After", "RateLimit", "RateLimit-Policy"], 503: [],
        ]
        // A job that is being cancelled has its place already.
        let exempt = endpoint?.id == "cancelJob" ? ["Location"] : []
        for name in needed[answer.status] ?? [] where !exempt.contains(name) {
            if answer.header(name) == nil { problems.append("\(name) is missing") }
        }
        return problems
    }

    private func headers(_ answer: Answer, _ endpoint: Endpoint?) -> [String] {
        var problems: [String] = []
        func need(_ name: String, _ value: String? = nil) {
            let found = answer.header(name)
            if found == nil || (value != nil && found != value) {
                problems.append("\(name) is \(found ?? "missing")")
            }
        }
        need("X-Request-Id")
        need("X-Content-Type-Options", "nosniff")
        need("Cache-Control", "no-store")
        need("Content-Security-Policy")
        if let endpoint, !endpoint.isOpen { need("RateLimit-Policy") }
        return problems
    }

    /// Only what shows documents shows their contents; keys and paths are in no answer.
    private func leaks(_ answer: Answer, _ endpoint: Endpoint?) -> [String] {
        let showsDocuments = ["restoreBackup", "diffBackups", "getDocument", "getJob", "listJobs"]
        let mayShow = endpoint.map { showsDocuments.contains($0.id) } ?? false
        let secrets = fixture.secrets + [fixture.folder.path]
        return secrets.filter { secret in
            answer.text.contains(secret)
                && !(mayShow && secret == ServiceFixture.documentContents)
        }.map { "it tells \($0)" }
    }

    private func head(_ answer: Answer) -> [String] {
        answer.text.isEmpty ? [] : ["an answer to HEAD has a body"]
    }

    private func body(
        _ answer: Answer, _ descriptions: [Endpoint.ReplyDescription]
    ) -> [String] {
        guard !descriptions.isEmpty else { return [] }
        let problems = descriptions.map { body(answer, $0) }
        return problems.contains([]) ? [] : problems.flatMap { $0 }
    }

    private func body(_ answer: Answer, _ description: Endpoint.ReplyDescription) -> [String] {
        let expected =
            description.contentType ?? (description.schema == nil ? nil : "application/json")
        let type = answer.header("Content-Type")
        guard type == expected else {
            return ["the type is \(type ?? "none"), not \(expected ?? "none")"]
        }
        guard let schema = description.schema else {
            return expected == nil && !answer.text.isEmpty ? ["there is a body"] : []
        }
        do {
            var deviations = SchemaCheck.deviations(try answer.json, schema)
            if expected == "application/problem+json",
                try answer.json.value(["status"]).number != String(answer.status)
            {
                deviations.append("the problem is of another status")
            }
            return deviations
        } catch {
            return ["the body is no JSON: \(error)"]
        }
    }
}
