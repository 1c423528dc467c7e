internal import BSONBytes

/// Names of columns as they are written on the command line: between commas, without the blanks
/// around them, or in quotation marks as they are, `""` being a quotation mark.
struct FieldList {
    /// The most columns.
    static let countMax = 1000

    let names: [String]

    /// - Throws: `Failure` with `usage`.
    init(_ text: String) throws {
        var names: [String] = []
        var rest = text.unicodeScalars[...]
        repeat {
            names.append(try Self.name(&rest))
            guard names.count <= Self.countMax else {
                throw Failure.usage("--fields has more than \(Self.countMax) names")
            }
        } while rest.popFirst() != nil
        self.names = names
    }

    /// Takes a name, up to the comma or the end.
    private static func name(_ rest: inout Substring.UnicodeScalarView) throws -> String {
        rest = rest.drop(while: isBlank)
        var name = String.UnicodeScalarView()
        if rest.first == "\"" {
            rest.removeFirst()
            while true {
                guard let scalar = rest.popFirst() else {
                    throw Failure.usage("--fields has a quotation mark without its counterpart")
                }
                if scalar == "\"" {
                    guard rest.first == "\"" else { break }
                    rest.removeFirst()
                }
                name.append(scalar)
            }
            rest = rest.drop(while: isBlank)
            guard rest.first == "," || rest.isEmpty else {
                throw Failure.usage("--fields has text after a name in quotation marks")
            }
        } else {
            let part = rest.prefix { $0 != "," }
            rest = rest[part.endIndex...]
            name = String.UnicodeScalarView(part)
            while let last = name.last, isBlank(last) { name.removeLast() }
        }
        return try checked(String(name))
    }

    private static func isBlank(_ scalar: Unicode.Scalar) -> Bool {
        scalar == " " || scalar == "\t"
    }

    private static func checked(_ name: String) throws -> String {
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.allSatisfy({ !$0.isEmpty }) else {
            throw Failure.usage(
                name.isEmpty
                    ? "--fields has an empty name; write names between commas, such as _id,total"
                    : "--fields has \"\(name)\", with an empty name beside a dot")
        }
        guard parts.count <= BSONLimits.nestingDepthMax else {
            throw Failure.usage(
                "--fields has a name of more than \(BSONLimits.nestingDepthMax) parts")
        }
        return name
    }
}
