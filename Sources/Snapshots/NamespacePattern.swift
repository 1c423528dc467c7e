public import ArchiveFormat

/// A pattern for namespaces, as mongorestore has them: `*` stands for any text, dots included; `\*`
/// for an asterisk and `\\` for a backslash. `shop.*` is every collection of the database shop.
public struct NamespacePattern: Hashable, Sendable {
    /// The pattern as it was written.
    public let text: String
    /// What stands between the asterisks: always one more than there are asterisks.
    private let literals: [[UInt8]]

    /// - Throws: `usage` when the pattern has no dot or no name on one side of it, or ends in a
    ///   single backslash.
    public init(_ text: String) throws(SnapshotError) {
        self.text = text
        var literals: [[UInt8]] = [[]]
        var bytes = Array(text.utf8)[...]
        while let byte = bytes.popFirst() {
            switch byte {
            case UInt8(ascii: "*"):
                literals.append([])
            case UInt8(ascii: "\\"):
                guard let escaped = bytes.popFirst() else {
                    throw SnapshotError(
                        .usage, "pattern \"\(text)\" ends in a backslash; write \\\\ for one")
                }
                literals[literals.count - 1].append(escaped)
            default:
                literals[literals.count - 1].append(byte)
            }
        }
        let isOnlyAsterisk = literals == [[], []]
        let hasDot = literals.contains { $0.contains(UInt8(ascii: ".")) }
        guard isOnlyAsterisk || hasDot, literals.first?.first != UInt8(ascii: "."),
            literals.last?.last != UInt8(ascii: ".")
        else {
            throw SnapshotError(
                .usage,
                "pattern \"\(text)\" is no namespace; write database.collection, such as shop.*")
        }
        self.literals = literals
    }

    /// How many asterisks it has.
    public var wildcardCount: Int { literals.count - 1 }

    /// Its bytes one by one; nil stands for an asterisk.
    var tokens: [UInt8?] {
        Array(literals.map { $0.map(Optional.some) }.joined(separator: [nil]))
    }

    /// Whether the namespace fits.
    public func matches(_ namespace: String) -> Bool {
        captures(in: namespace) != nil
    }

    /// What the asterisks stand for in the namespace, each as short as can be; nil when it does not
    /// fit.
    public func captures(in namespace: String) -> [String]? {
        let bytes = Array(namespace.utf8)
        guard bytes.starts(with: literals[0]) else { return nil }
        return Self.match(literals[1...], bytes[literals[0].count...])
    }

    /// The pattern with its asterisks replaced.
    func filled(with captures: [String]) -> String {
        precondition(captures.count == wildcardCount, "there is a text for each asterisk")
        var bytes = literals[0]
        for (capture, literal) in zip(captures, literals.dropFirst()) {
            bytes += Array(capture.utf8) + literal
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func match(
        _ literals: ArraySlice<[UInt8]>, _ rest: ArraySlice<UInt8>
    ) -> [String]? {
        guard let literal = literals.first else { return rest.isEmpty ? [] : nil }
        let following = literals.dropFirst()
        if following.isEmpty {
            guard rest.count >= literal.count, rest.suffix(literal.count).elementsEqual(literal)
            else { return nil }
            return [String(decoding: rest.dropLast(literal.count), as: UTF8.self)]
        }
        for start in rest.startIndex...rest.endIndex {
            guard rest[start...].starts(with: literal) else { continue }
            if let later = match(following, rest[(start + literal.count)...]) {
                return [String(decoding: rest[..<start], as: UTF8.self)] + later
            }
        }
        return nil
    }
}

/// Which namespaces of all a command is about.
public struct NamespaceFilter: Hashable, Sendable {
    /// Only this database.
    public var database: String?
    /// Only namespaces that fit one of these; all when there are none.
    public var included: [NamespacePattern]
    /// None that fit one of these.
    public var excluded: [NamespacePattern]

    public init(
        database: String? = nil, included: [NamespacePattern] = [],
        excluded: [NamespacePattern] = []
    ) {
        self.database = database
        self.included = included
        self.excluded = excluded
    }

    /// Whether everything is meant.
    public var isEverything: Bool { database == nil && included.isEmpty && excluded.isEmpty }

    func contains(_ namespace: Namespace) -> Bool {
        let name = namespace.description
        return (database == nil || database == namespace.database)
            && (included.isEmpty || included.contains { $0.matches(name) })
            && !excluded.contains { $0.matches(name) }
    }
}

/// A namespace that shall come back under another name: `shop.*=copy.*`.
public struct NamespaceRename: Hashable, Sendable {
    public let from: NamespacePattern
    public let to: NamespacePattern

    /// - Parameter text: `FROM=TO`, with as many asterisks in both.
    /// - Throws: `usage`.
    public init(_ text: String) throws(SnapshotError) {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2 else {
            throw SnapshotError(
                .usage, "rename \"\(text)\" is not FROM=TO, such as shop.*=copy.*")
        }
        try self.init(from: String(parts[0]), to: String(parts[1]))
    }

    /// - Parameters:
    ///   - from: what is renamed; may have an equals sign in it, unlike `FROM=TO`.
    ///   - to: its new name, with as many asterisks.
    /// - Throws: `usage`.
    public init(from: String, to: String) throws(SnapshotError) {
        self.from = try NamespacePattern(from)
        self.to = try NamespacePattern(to)
        guard self.from.wildcardCount == self.to.wildcardCount else {
            throw SnapshotError(
                .usage,
                "rename \"\(from)=\(to)\" does not have as many asterisks on both sides")
        }
    }

    /// The new name, or nil when the rename is not about this namespace.
    func target(of namespace: Namespace) -> Namespace? {
        guard let captures = from.captures(in: namespace.description) else { return nil }
        let name = to.filled(with: captures)
        let parts = name.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        return parts.count == 2 ? Namespace(String(parts[0]), String(parts[1])) : nil
    }
}

extension NamespacePattern {
    /// A pattern that fits one namespace and nothing else.
    ///
    /// - Throws: `usage` for a name that begins or ends with a dot.
    public init(exactly namespace: Namespace) throws(SnapshotError) {
        var text = ""
        for character in namespace.description {
            if character == "*" || character == "\\" { text += "\\" }
            text.append(character)
        }
        try self.init(text)
    }
}
