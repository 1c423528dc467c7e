internal import AccessControl
internal import ExtendedJSON
internal import Foundation
internal import HTTPTypes
internal import PrivateServer
internal import Testing

@testable internal import HTTPService

/// What operators, monitors and readers look at.
@Suite struct RootTests {
    @Test(arguments: Way.allCases)
    func theProcessSaysThatItAnswers(_ way: Way) async throws {
        try await ServiceFixture.withoutServer().serve(way) { client in
            let answer = try await client.get("/healthz", as: nil)
            #expect(answer.status == 200)
            #expect(answer.text == #"{"status":"ok"}"#)
        }
    }

    @Test(.needsServer, arguments: Way.allCases)
    func itIsReadyWhenAllIsThere(_ way: Way) async throws {
        try await ServiceFixture().serve(way) { client in
            let answer = try await client.get("/readyz", as: nil)
            #expect(answer.status == 200)
            let names = try answer.value("checks").items.map { try $0.value(["name"]).string }
            #expect(names == ["database", "repository", "state", "keys", "jobs"])
        }
    }

    @Test(.needsServer, arguments: Way.allCases)
    func itIsNotReadyWithoutTheDatabaseServer(_ way: Way) async throws {
        let server = try await PrivateServer()
        let fixture = try await ServiceFixture(
            uri: "mongodb://127.0.0.1:\(server.port)/?serverSelectionTimeoutMS=1000")
        try await fixture.serve(way) { client in
            #expect(try await client.get("/readyz", as: nil).status == 200)
            try await server.stop()
            let answer = try await client.get("/readyz", as: nil)
            #expect(answer.status == 503)
            #expect(try answer.string("checks", "0", "name") == "database")
            #expect(try answer.string("checks", "0", "code") == "server_selection")
            #expect(try await client.get("/healthz", as: nil).status == 200)
        }
    }

    @Test(arguments: Way.allCases)
    func metricsAreInPrometheusTextAndNeedPermission(_ way: Way) async throws {
        try await ServiceFixture.withoutServer().serve(way) { client in
            _ = try await client.get("/nothing/\(UUID().uuidString)")
            #expect(try await client.get("/metrics", as: nil).status == 401)
            #expect(try await client.get("/metrics", as: .viewer).status == 403)
            let answer = try await client.get("/metrics", as: .analyst)
            #expect(answer.status == 200)
            let comment = /# (HELP|TYPE) [a-z_:0-9]+ .+/
            let sample = /[a-z_:0-9]+(\{[a-z_]+="[^"]*"(,[a-z_]+="[^"]*")*\})? -?[0-9.e+Inf-]+/
            for line in answer.text.split(separator: "\n") {
                let isComment = try comment.wholeMatch(in: line) != nil
                let fits = try isComment || sample.wholeMatch(in: line) != nil
                #expect(fits, "\(line)")
            }
            #expect(answer.text.contains(#"status="404"} 1"#))
            #expect(answer.text.contains(#"cairn_job_failures_total{kind="backup"} 0"#))
            #expect(answer.text.contains("cairn_authentication_failures_total") == false)
            #expect(answer.text.contains("cairn_jobs_waiting 0"))
        }
    }

    /// What was so before the process began is told too, for it is read from the repository.
    @Test(.needsServer) func metricsTellOfTheNewestBackup() async throws {
        let fixture = try await ServiceFixture()
        try await fixture.fill()
        try await fixture.serve { client in
            let none = try await client.get("/metrics").text
            #expect(!none.contains("cairn_backup_last_"))
            _ = try await client.makeBackup()
            let list = try await client.get("backup/list")
            let samples = try await client.get("/metrics").text.split(separator: "\n")
                .filter { $0.hasPrefix("cairn_backup_last_") }
                .map { $0.split(separator: " ") }
                .reduce(into: [:]) { $0[String($1[0])] = Double($1[1]) }
            for name in ["documents", "bytes", "stored_bytes"] {
                let number = try list.number("backups", "0", name)
                #expect(samples["cairn_backup_last_\(name)"] == Double(number), "\(name)")
            }
            #expect(try #require(samples["cairn_backup_last_duration_seconds"]) > 0)
            #expect(samples["cairn_backup_last_success_timestamp_seconds"] != nil)
        }
    }

    @Test func metricsCanBeOpenedToEverybody() async throws {
        var fixture = try await ServiceFixture.withoutServer()
        fixture.options.hasOpenMetrics = true
        try await fixture.serve { client in
            let answer = try await client.get("/metrics", as: nil)
            #expect(answer.status == 200)
        }
    }

    /// Clients must not be able to make series without end.
    @Test func whatClientsMakeUpIsNoLabel() async throws {
        try await ServiceFixture.withoutServer().serve { client in
            let method = try #require(HTTPRequest.Method("MADEUP"))
            _ = try await client.send(method, "/made/up")
            _ = try await client.get("jobs/20240101T000000Z-madeup-0a1b2c")
            let text = try await client.get("/metrics").text
            #expect(!text.lowercased().contains("madeup") && !text.contains("made/up"))
        }
    }

    @Test(arguments: Way.allCases)
    func thePageForReadersLoadsNothingFromElsewhere(_ way: Way) async throws {
        try await ServiceFixture.withoutServer().serve(way) { client in
            let answer = try await client.get("/docs", as: nil)
            #expect(answer.status == 200)
            for part in ["<script", "src=", "url(", "@import", "<link", "<iframe", "//"] {
                #expect(!answer.text.contains(part), "\(part)")
            }
            for match in answer.text.matches(of: /href="([^"]*)"/) {
                let target = match.output.1
                let isHere = target == "/openapi.json" || target.hasPrefix("#")
                #expect(isHere, "\(target)")
                guard target.hasPrefix("#") else { continue }
                #expect(answer.text.contains("id=\"\(target.dropFirst())\""), "\(target)")
            }
            for endpoint in client.service.endpoints {
                #expect(answer.text.contains("id=\"\(endpoint.id)\""))
            }
        }
    }

    /// The type of a problem is a link.
    @Test func everyProblemsTypeLeadsToItsMeaning() async throws {
        try await ServiceFixture.withoutServer().serve(doesJobs: false) { client in
            let page = try await client.get("/docs", as: nil).text
            let answers = [
                try await client.get("backup/list", as: nil), try await client.get("/nothing"),
                try await client.post("backup/create", "{"),
                try await client.get("backup/list?limit=0"),
            ]
            let types = try answers.map { try $0.string("type") }
            #expect(types[0] == "/docs#problem-no_token")
            #expect(ProblemKinds.reference("of_another_kind") == "/docs#problems")
            for type in types + ["/docs#problems"]
                + ProblemKinds.meanings.keys.map(ProblemKinds.reference)
            {
                let target = type.drop { $0 != "#" }.dropFirst()
                #expect(page.contains("id=\"\(target)\""), "\(type)")
            }
        }
    }

    @Test(arguments: Way.allCases)
    func theDocumentNamesEveryRouteAndEveryReferenceLeadsSomewhere(_ way: Way) async throws {
        try await ServiceFixture.withoutServer().serve(way) { client in
            let answer = try await client.get("/openapi.json", as: nil)
            let document = try answer.json
            #expect(try document.value(["openapi"]).string == "3.1.0")
            let paths = try document.value(["paths"])
            for endpoint in client.service.endpoints {
                let operation = try paths.value([
                    endpoint.path, endpoint.method.rawValue.lowercased(),
                ])
                #expect(try operation.value(["operationId"]).string == endpoint.id)
            }
            let count = paths.members.reduce(0) { $0 + $1.node.members.count }
            #expect(count == client.service.endpoints.count)
            let names = try document.value(["components", "schemas"]).members.map(\.name)
            #expect(Set(names).count == names.count)
            let references = document.all("$ref").compactMap(\.string)
            #expect(!references.isEmpty)
            for reference in references {
                let name = reference.replacing("#/components/schemas/", with: "")
                #expect(names.contains(name), "\(reference)")
            }
            let operations = document.all("operationId").compactMap(\.string)
            #expect(Set(operations).count == operations.count)
        }
    }

    @Test func everyParameterOfAPathIsDescribed() async throws {
        try await ServiceFixture.withoutServer().serve { client in
            for endpoint in client.service.endpoints {
                let inPath = endpoint.path.matches(of: /\{([a-z_]+)\}/).map { String($0.output.1) }
                let described = endpoint.parameters.filter { $0.place == .path }.map(\.name)
                #expect(inPath == described, "\(endpoint.id)")
            }
        }
    }

    @Test(arguments: Way.allCases)
    func headIsAsGetWithoutTheBody(_ way: Way) async throws {
        try await ServiceFixture.withoutServer().serve(way) { client in
            for path in ["/healthz", "/docs", "/openapi.json", "backup/list", "jobs"] {
                let get = try await client.get(path)
                let head = try await client.send(.head, path)
                #expect(head.status == get.status, "\(path)")
                #expect(head.text.isEmpty)
                #expect(head.header("Content-Length") == "\(get.text.utf8.count)", "\(path)")
                #expect(head.header("Content-Type") == get.header("Content-Type"))
            }
            #expect(try await client.send(.head, "/nothing").status == 404)
            let nobody = ServiceClient.Extras(role: nil)
            #expect(try await client.send(.head, "backup/list", nobody).status == 401)
        }
    }
}

extension JSONNode {
    /// Every value of that name, however deep.
    fileprivate func all(_ name: String) -> [JSONNode] {
        members.flatMap { ($0.name == name ? [$0.node] : []) + $0.node.all(name) }
            + items.flatMap { $0.all(name) }
    }
}
