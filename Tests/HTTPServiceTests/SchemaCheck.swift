internal import ExtendedJSON
internal import Foundation
internal import Testing

@testable internal import HTTPService

/// Checks a JSON value of an answer against the shape that its endpoint describes.
enum SchemaCheck {
    /// All that is otherwise.
    static func deviations(_ node: JSONNode, _ schema: Schema, at place: String = "") -> [String] {
        switch (schema, node.kind) {
        case (.described(let inner, _), _): return deviations(node, inner, at: place)
        case (.named(let name), _):
            guard let shape = ReplySchemas.all.first(where: { $0.name == name }) else {
                return ["\(place): there is no shape \(name)"]
            }
            return deviations(node, shape.schema, at: place)
        case (.oneOf(let schemas), _):
            let all = schemas.map { deviations(node, $0, at: place) }
            return all.contains([]) ? [] : all.flatMap { $0 }
        case (.nullable, .null), (.any, _), (.boolean, .bool), (.number, .number): return []
        case (.nullable(let inner), _): return deviations(node, inner, at: place)
        case (.string(let rule), .string(let text)): return deviations(text, rule, at: place)
        case (.integer(let range), .number(let digits)):
            let fits = Int(digits).map(range.contains) ?? false
            return fits ? [] : ["\(place): \(digits) is not within \(range)"]
        case (.array(let item, _, let countMax), .array(let nodes)):
            return (nodes.count > countMax ? ["\(place): has \(nodes.count) values"] : [])
                + nodes.enumerated().flatMap { position, node in
                    deviations(node, item, at: "\(place)/\(position)")
                }
        case (.object(let properties), .object(let members)):
            return deviations(members, properties, at: place)
        case (.map(let value), .object(let members)):
            return members.flatMap { deviations($0.node, value, at: "\(place)/\($0.name)") }
        default: return ["\(place): \(node.kind) is not \(schema)"]
        }
    }

    private static func deviations(
        _ members: [(name: String, node: JSONNode)], _ properties: [Schema.Property],
        at place: String
    ) -> [String] {
        let names = members.map(\.name)
        var problems = Set(names).count == names.count ? [] : ["\(place): a name is there twice"]
        for property in properties where property.isRequired && !names.contains(property.name) {
            problems.append("\(place)/\(property.name): is missing")
        }
        for member in members {
            guard let property = properties.first(where: { $0.name == member.name }) else {
                problems.append("\(place)/\(member.name): is not described")
                continue
            }
            problems += deviations(
                member.node, property.schema, at: "\(place)/\(member.name)")
        }
        return problems
    }

    private static func deviations(
        _ text: String, _ rule: Schema.TextRule, at place: String
    ) -> [String] {
        if let values = rule.values {
            return values.contains(text) ? [] : ["\(place): \(text) must be one of \(values)"]
        }
        guard rule.lengths.contains(text.unicodeScalars.count) else {
            return ["\(place): is too short or too long"]
        }
        if rule.format == "date-time" {
            let form = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/
            return text.wholeMatch(of: form) == nil ? ["\(place): \(text) is no moment"] : []
        }
        return []
    }
}

/// That the checker finds what it is there to find.
@Suite struct SchemaCheckTests {
    private static let schema = Schema.object([
        .required("status", .word("PENDING", "FAILED")), .required("at", .nullable(.time)),
        .required("error", .nullable(.named("JobError"))),
        Schema.Property("counts", .array(.integer(0...9), countMax: 2)),
    ])

    private static func deviations(_ text: String) throws -> [String] {
        var reader = JSONReader(Array(text.utf8))
        return SchemaCheck.deviations(try reader.readText(), schema)
    }

    @Test func aValueThatFitsHasNoDeviations() throws {
        let text = #"""
            {"status": "FAILED", "at": "2024-01-01T00:00:00Z", "counts": [1, 2],
            "error": {"code": "c", "message": "m"}}
            """#
        #expect(try Self.deviations(text) == [])
        #expect(try Self.deviations(#"{"status": "PENDING", "at": null, "error": null}"#) == [])
    }

    @Test(arguments: [
        #"{"status": "DONE", "at": null, "error": null}"#,
        #"{"status": "FAILED", "at": "yesterday", "error": null}"#,
        #"{"status": "FAILED", "at": null}"#,
        #"{"status": "FAILED", "at": null, "error": {"code": "c"}}"#,
        #"{"status": "FAILED", "at": null, "error": {"code": 1, "message": "m"}}"#,
        #"{"status": "FAILED", "at": null, "error": null, "more": 1}"#,
        #"{"status": "FAILED", "at": null, "error": null, "counts": [10]}"#,
        #"{"status": "FAILED", "at": null, "error": null, "counts": [1, 2, 3]}"#,
        #"{"status": "FAILED", "status": "FAILED", "at": null, "error": null}"#,
        "[]", "null",
    ])
    func aValueThatDoesNotFitIsFoundOut(_ text: String) throws {
        #expect(try Self.deviations(text).count == 1)
    }
}
