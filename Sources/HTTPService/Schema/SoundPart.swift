internal import ExtendedJSON
internal import Foundation
internal import SnapshotJSON

/// What is left of a body without the fields that are not as they have to be, so that the layers
/// below can judge the others, and all that is wrong is told at once.
///
/// Cost: each value is looked at once, whatever the number of faults.
struct SoundPart {
    /// The rest, as JSON.
    private(set) var data = Data()
    /// Where faults are.
    private let faults: Set<String>
    /// Those places, and all around them.
    private let faulty: Set<String>
    private let dependencies: [String: String]
    /// Which items of an array are left, by the array's place.
    private var positions: [String: [Int]] = [:]

    /// - Parameters:
    ///   - faults: where the fields are, as JSON pointers.
    ///   - dependencies: which member of the same object says what a member may be, so that
    ///     without the one the other can't be judged.
    init(of node: JSONNode, without faults: [String], dependencies: [String: String] = [:]) {
        self.faults = Set(faults)
        faulty = Set(faults.flatMap(Self.places))
        self.dependencies = dependencies
        if let rest = rest(of: node, at: "") { data = Data(rest.text.utf8) }
    }

    /// Where a field of the rest is in the whole body.
    ///
    /// - Parameter field: its place without a slash in front.
    func place(ofField field: String) -> String {
        var whole = ""
        for step in field.split(separator: "/", omittingEmptySubsequences: false) {
            if let kept = positions[whole], let position = Int(step), position < kept.count {
                whole += "/\(kept[position])"
            } else {
                whole += "/\(step)"
            }
        }
        return whole
    }

    /// A place and all that it is in.
    private static func places(around place: String) -> [String] {
        var places = [place]
        var rest = place[...]
        while let slash = rest.lastIndex(of: "/") {
            rest = rest[..<slash]
            places.append(String(rest))
        }
        return places
    }

    private mutating func rest(of node: JSONNode, at place: String) -> JSONValue? {
        guard !faults.contains(place) else { return nil }
        switch node.kind {
        case .null: return .null
        case .bool(let value): return .bool(value)
        case .number(let digits): return .verbatim(WholeNumber.plain(digits))
        case .string(let text): return .string(text)
        case .object(let members):
            return .object(
                members.compactMap { name, node in
                    let deciding = dependencies[name].map { "\(place)/\($0)" }
                    guard deciding.map(faults.contains) != true else { return nil }
                    return rest(of: node, at: "\(place)/\(JSONPointer.escaped(name))").map {
                        JSONValue.Member(name, $0)
                    }
                })
        case .array(let items):
            // An item may need each of its members.
            let sound = items.indices.filter { position in
                !faulty.contains("\(place)/\(position)")
            }
            positions[place] = sound
            return .array(
                sound.compactMap { rest(of: items[$0], at: "\(place)/\($0)") })
        }
    }
}

/// Names as parts of a JSON pointer (RFC 6901).
enum JSONPointer {
    /// Control characters are not repeated to anybody, nor is more than the first hundred.
    static func escaped(_ name: String) -> String {
        name.unicodeScalars.prefix(100).map { scalar in
            switch scalar {
            case "~": "~0"
            case "/": "~1"
            default: scalar.properties.generalCategory == .control ? "?" : String(scalar)
            }
        }.joined()
    }
}
