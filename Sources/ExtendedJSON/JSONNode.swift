/// A JSON value as it stands in a text: members in order, duplicates kept, numbers still digits.
/// Plain JSON, without what Extended JSON makes of it.
public struct JSONNode: Sendable {
    /// What a JSON text can say.
    public enum Kind: Sendable {
        /// Members in the text's order.
        case object([(name: String, node: JSONNode)])
        /// Values in the text's order.
        case array([JSONNode])
        /// A string without its escapes.
        case string(String)
        /// A number as it is spelled.
        case number(String)
        /// `true` or `false`.
        case bool(Bool)
        /// `null`.
        case null
    }

    /// What it says.
    public let kind: Kind
    /// Where it begins in the text.
    public let offset: Int

    /// The text of a string; nil for other kinds.
    public var string: String? {
        if case .string(let string) = kind { string } else { nil }
    }

    /// The digits of a number; nil for other kinds.
    public var number: String? {
        if case .number(let digits) = kind { digits } else { nil }
    }

    /// The values of an object whose members are exactly `names`, in any order; nil for anything
    /// else.
    func fields(_ names: String...) -> [JSONNode]? {
        guard case .object(let members) = kind, members.count == names.count else { return nil }
        let found = names.compactMap { name in
            members.first { $0.name.utf8.elementsEqual(name.utf8) }?.node
        }
        return found.count == names.count ? found : nil
    }
}
