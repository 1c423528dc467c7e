internal import HTTPTypes
internal import SnapshotJSON

/// The interface as a page for readers: one file, with nothing loaded from elsewhere and no script.
struct DocumentationPage {
    let endpoints: [Endpoint]
    let version: String

    /// The page.
    var html: String {
        """
        <!doctype html>
        <html lang="en"><head><meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>Cairn HTTP interface</title><style>\(Self.style)</style></head><body>
        <nav><h1>Cairn</h1><p>\(version)<br><a href="/openapi.json">openapi.json</a></p>
        \(groups.map(navigation).joined())\
        <h2>Also</h2><ul><li><a href="#always">Answers of every endpoint</a></li>\
        <li><a href="#shapes">Shapes</a></li>\
        <li><a href="#problems">Problems</a></li></ul></nav>
        <main><p>\(Self.formatted(OpenAPIDocument.introduction))</p>
        \(groups.map(section).joined())
        <h2 id="always">Answers of every endpoint</h2>
        <p>Beside those that stand with each, every endpoint may answer:</p>
        <table>\(Self.common)</table>
        <h2 id="shapes">Shapes</h2>
        \(ReplySchemas.all.map(shape).joined())
        <h2 id="problems">Problems</h2>
        <p>By their <code>code</code>. Others are rare, and <code>detail</code> tells what they \
        are.</p><table>\(Self.problems)</table>
        </main></body></html>
        """
    }

    private var groups: [String] {
        endpoints.map(\.group).reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    }

    private func navigation(_ group: String) -> String {
        let items = endpoints.filter { $0.group == group }.map { endpoint in
            "<li><a href=\"#\(endpoint.id)\">\(Self.escaped(endpoint.summary))</a></li>"
        }
        return "<h2>\(group)</h2><ul>\(items.joined())</ul>"
    }

    private func section(_ group: String) -> String {
        "<h2>\(group)</h2>" + endpoints.filter { $0.group == group }.map(article).joined()
    }

    private func article(_ endpoint: Endpoint) -> String {
        var text = """
            <article id="\(endpoint.id)"><h3><b class="\(endpoint.method.rawValue)">\
            \(endpoint.method.rawValue)</b> <code>\(Self.escaped(endpoint.path))</code></h3>
            <p>\(Self.formatted(endpoint.summary)) \(Self.formatted(endpoint.details))</p>
            <p class="who">\(Self.formatted(endpoint.permissionSentence))</p>
            """
        if !endpoint.parameters.isEmpty {
            text += "<h4>Parameters</h4><table>"
            for parameter in endpoint.parameters {
                text += Self.row(
                    "<code>\(Self.escaped(parameter.name))</code>", parameter.place.rawValue,
                    Self.escaped(parameter.schema.words), Self.formatted(parameter.description))
            }
            text += "</table>"
        }
        if let body = endpoint.body {
            text += "<h4>Body\(body.isRequired ? "" : ", may be left out")</h4>"
            text += Self.fields(body.schema)
            text += "<pre>\(Self.escaped(body.example.text))</pre>"
        }
        text += "<h4>Answers</h4><table>"
        text += endpoint.replies.map(Self.row).joined()
        return text + "</table></article>"
    }

    private static func row(_ reply: Endpoint.ReplyDescription) -> String {
        row(
            String(reply.status.code), reply.schema.map { link($0) } ?? "",
            reply.schema == nil ? escaped(reply.contentType ?? "") : "",
            formatted(reply.description))
    }

    /// What may come back of any endpoint, once.
    private static var common: String {
        Endpoint.problemsOfAll.map { reply in
            row(
                String(reply.problem.status.code), formatted(reply.problem.description),
                formatted(reply.condition))
        }.joined()
    }

    private func shape(_ name: String, _ schema: Schema) -> String {
        let example = ReplyExamples.all[name].map { "<pre>\(Self.escaped($0.text))</pre>" } ?? ""
        return "<article id=\"shape-\(name)\"><h3>\(name)</h3>\(Self.fields(schema))\(example)"
            + "</article>"
    }

    private static var problems: String {
        ProblemKinds.meanings.sorted { $0.key < $1.key }.map { code, meaning in
            "<tr id=\"problem-\(code)\"><td><code>\(code)</code></td>"
                + "<td>\(formatted(meaning))</td></tr>"
        }.joined()
    }

    private static func fields(_ schema: Schema) -> String {
        guard case .object(let properties) = schema.bare else {
            return "<p>\(escaped(schema.words))</p>"
        }
        let rows = properties.map { property in
            row(
                "<code>\(escaped(property.name))</code>", property.isRequired ? "" : "optional",
                link(property.schema), formatted(property.sentence ?? ""))
        }
        return "<table>\(rows.joined())</table>"
    }

    private static func link(_ schema: Schema) -> String {
        switch schema.bare {
        case .named(let name): "<a href=\"#shape-\(name)\">\(name)</a>"
        case .oneOf(let schemas): schemas.map(link).joined(separator: " or ")
        case .nullable(let inner): link(inner) + " or null"
        case .array(let item, _, _): "array of " + link(item)
        default: escaped(schema.words)
        }
    }

    private static func row(_ cells: String...) -> String {
        "<tr>\(cells.map { "<td>\($0)</td>" }.joined())</tr>"
    }

    /// Text with `code` in it.
    private static func formatted(_ text: String) -> String {
        escaped(text).split(separator: "`", omittingEmptySubsequences: false).enumerated()
            .map { $0.offset.isMultiple(of: 2) ? String($0.element) : "<code>\($0.element)</code>" }
            .joined()
    }

    private static func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;")
            .replacing(">", with: "&gt;").replacing("\"", with: "&quot;")
    }

    private static let style = """
        :root{color-scheme:light dark}
        body{font:16px/1.5 system-ui,sans-serif;margin:0;display:flex}
        nav{width:17rem;flex:none;height:100vh;position:sticky;top:0;overflow:auto;padding:1rem;\
        box-sizing:border-box;border-right:1px solid #8884;font-size:.85rem}
        nav ul{list-style:none;padding:0}nav h2{font-size:1rem;margin:1rem 0 .2rem}
        main{padding:1rem 2rem;min-width:0;max-width:60rem}
        article{border-top:1px solid #8884;padding:.5rem 0 1rem}
        code,pre{font:0.85em ui-monospace,monospace}
        pre{background:#8881;padding:.6rem;overflow:auto}
        table{border-collapse:collapse;width:100%;font-size:.9rem}td{padding:.15rem .8rem .15rem 0;\
        vertical-align:top;border-bottom:1px solid #8882}h4{margin:.8rem 0 .2rem}
        .who{font-size:.9rem;opacity:.75}b{font-size:.8em;padding:.1em .4em;border-radius:.2em;\
        background:#8883}.DELETE{background:#c333}.POST,.PUT{background:#37c3}
        @media(max-width:45rem){body{display:block}nav{width:auto;height:auto;position:static}}
        """
}

extension Schema {
    /// Without its sentence.
    var bare: Schema {
        if case .described(let inner, _) = self { inner.bare } else { self }
    }

    /// Its sentence; nil without one.
    var sentence: String? {
        if case .described(_, let sentence) = self { sentence } else { nil }
    }

    /// What it is, in a few words.
    var words: String {
        switch self {
        case .string(let rule):
            rule.values.map { $0.joined(separator: " | ") } ?? rule.format ?? "string"
        case .integer(let range):
            range.upperBound == .max
                ? "whole number" : "whole number, \(range.lowerBound) to \(range.upperBound)"
        case .number: "number"
        case .boolean: "boolean"
        case .array(let item, _, _): "array of \(item.words)"
        case .object(let properties):
            "object: " + properties.map(\.name).joined(separator: ", ")
        case .map(let value): "object of \(value.words)"
        case .nullable(let inner): "\(inner.words) or null"
        case .named(let name): name
        case .oneOf(let schemas): schemas.map(\.words).joined(separator: " or ")
        case .any: "any JSON"
        case .described(let inner, _): inner.words
        }
    }
}
