internal import SnapshotJSON

extension Schema {
    /// The same in the words of JSON Schema 2020-12, as OpenAPI 3.1 has it.
    var json: JSONValue { .object(members) }

    /// The same with a value that fits it.
    func json(example: JSONValue) -> JSONValue {
        .object(members + [JSONValue.Member("examples", .array([example]))])
    }

    private var members: [JSONValue.Member] {
        switch self {
        case .string(let rule): return Self.members(rule)
        case .integer(let range):
            var members = Self.type("integer")
            members.append(JSONValue.Member("minimum", .verbatim(String(range.lowerBound))))
            if range.upperBound < .max {
                members.append(JSONValue.Member("maximum", .verbatim(String(range.upperBound))))
            }
            return members
        case .number: return Self.type("number")
        case .boolean: return Self.type("boolean")
        case .array(let item, let countMin, let countMax):
            let least = countMin > 0 ? [JSONValue.Member("minItems", .count(countMin))] : []
            return Self.type("array") + [JSONValue.Member("items", item.json)] + least + [
                JSONValue.Member("maxItems", .count(countMax))
            ]
        case .object(let properties): return Self.members(properties)
        case .map(let value):
            return Self.type("object") + [JSONValue.Member("additionalProperties", value.json)]
        case .nullable(let inner):
            return [
                JSONValue.Member(
                    "anyOf", .array([inner.json, .object(["type": .string("null")])]))
            ]
        case .named(let name):
            return [JSONValue.Member("$ref", .string("#/components/schemas/\(name)"))]
        case .oneOf(let schemas):
            return [JSONValue.Member("anyOf", .array(schemas.map(\.json)))]
        case .any: return []
        case .described(let inner, let description):
            return inner.members + [JSONValue.Member("description", .string(description))]
        }
    }

    private static func type(_ name: String) -> [JSONValue.Member] {
        [JSONValue.Member("type", .string(name))]
    }

    private static func members(_ rule: TextRule) -> [JSONValue.Member] {
        var members = type("string")
        if let values = rule.values {
            members.append(JSONValue.Member("enum", .array(values.map { .string($0) })))
            return members
        }
        members.append(JSONValue.Member("minLength", .count(rule.lengths.lowerBound)))
        members.append(JSONValue.Member("maxLength", .count(rule.lengths.upperBound)))
        if let pattern = rule.pattern {
            members.append(JSONValue.Member("pattern", .string("^(?:\(pattern))$")))
        }
        if let format = rule.format {
            members.append(JSONValue.Member("format", .string(format)))
        }
        return members
    }

    private static func members(_ properties: [Property]) -> [JSONValue.Member] {
        let required = properties.filter(\.isRequired).map { JSONValue.string($0.name) }
        var members = type("object")
        members.append(
            JSONValue.Member(
                "properties",
                .object(
                    properties.map { property in
                        let schema = property.sentence.map { property.schema.bare.saying($0) }
                        return JSONValue.Member(property.name, (schema ?? property.schema).json)
                    })))
        if !required.isEmpty { members.append(JSONValue.Member("required", .array(required))) }
        members.append(JSONValue.Member("additionalProperties", .bool(false)))
        return members
    }
}
