internal import ExtendedJSON
internal import SnapshotJSON
internal import Testing

@testable internal import HTTPService

/// What readers of the documentation are shown.
@Suite struct ExampleTests {
    @Test(arguments: ReplyExamples.all.keys.sorted())
    func anExampleFitsItsShape(_ name: String) throws {
        let example = try #require(ReplyExamples.all[name])
        var reader = JSONReader(Array(example.text.utf8))
        let node = try reader.readText()
        #expect(SchemaCheck.deviations(node, .named(name)) == [])
    }

    @Test func everyBodyHasAnExampleThatFits() async throws {
        try await ServiceFixture.withoutServer().serve(doesJobs: false) { client in
            let bodies = client.service.endpoints.compactMap { endpoint in
                endpoint.body.map { (endpoint.id, $0) }
            }
            #expect(!bodies.isEmpty)
            for (id, body) in bodies {
                var reader = JSONReader(Array(body.example.text.utf8))
                var validation = SchemaValidation(.body)
                validation.check(try reader.readText(), body.schema, at: "")
                #expect(validation.errors == [], "\(id)")
            }
        }
    }
}
