/// Something in a store that is not hidden and no object, so that a listing leaves it out.
public struct StrayEntry: Hashable, Sendable {
    /// What it is instead.
    public enum Kind: Hashable, Sendable {
        case symbolicLink
        /// A symbolic link to what does not exist, or may not be looked at.
        case danglingLink
        case folder
        case namedPipe
        case socket
        case device
        /// A file whose name is not UTF-8; `name` shows what there is of it.
        case unreadableName
    }

    /// Its name, for messages.
    public let name: String
    public let kind: Kind

    public init(name: String, kind: Kind) {
        self.name = name
        self.kind = kind
    }
}
