public import ArchiveFormat

/// A pattern for namespaces, as mongorestore has them: `*` stands for any text, dots included; `\*`
/// for an asterisk and `\\` for a backslash. `shop.*` is every collection of the database shop.
public struct NamespacePattern: Hashable, Sendable {
    /// The pattern as it was written.
    public let text: String
    /// What is between the asterisks: always one more than there are asterisks.
    private let literals: [SearchedText]

    /// - Throws: `usage` when the pattern has no dot or no name on one side of it, ends in a
    ///   single backslash, or is beyond the `SelectionLimits`.
    public init(_ text: String) throws(SnapshotError) {
        guard text.utf8.count <= SelectionLimits.patternByteCountMax else {
            throw SnapshotError(
                .usage,
                "a pattern has more than \(SelectionLimits.patternByteCountMax) bytes: "
                    + "\(String(text.unicodeScalars.prefix(40)))…")
        }
        self.text = text
        let literals = try Self.literals(text)
        guard literals.count <= SelectionLimits.asteriskCountMax + 1 else {
            throw SnapshotError(
                .usage,
                "pattern \"\(text)\" has more than \(SelectionLimits.asteriskCountMax) asterisks")
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
        self.literals = literals.map(SearchedText.init)
    }

    private static func literals(_ text: String) throws(SnapshotError) -> [[UInt8]] {
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
        return literals
    }

    /// How many asterisks it has.
    public var wildcardCount: Int { literals.count - 1 }

    /// Its bytes one by one; nil is an asterisk.
    var tokens: [UInt8?] {
        Array(literals.map { $0.bytes.map(Optional.some) }.joined(separator: [nil]))
    }

    /// The only name that fits it, in UTF-8; nil for a pattern with an asterisk.
    var onlyName: [UInt8]? { literals.count == 1 ? literals[0].bytes : nil }

    /// Whether the namespace fits.
    public func matches(_ namespace: String) -> Bool {
        var stepCount = 0
        return matches(namespace, &stepCount) { _ in }
    }

    /// What the asterisks are in the namespace, each as short as can be; nil when it does not fit.
    public func captures(in namespace: String) -> [String]? {
        var stepCount = 0
        var ranges: [Range<Int>] = []
        guard matches(namespace, &stepCount, capture: { ranges.append($0) }) else { return nil }
        let bytes = Array(namespace.utf8)
        return ranges.map { String(decoding: bytes[$0], as: UTF8.self) }
    }

    /// The pattern with its asterisks replaced, in their order.
    func filled(with captures: [String]) -> String {
        var bytes = literals[0].bytes
        for (capture, literal) in zip(captures, literals.dropFirst()) {
            bytes += Array(capture.utf8) + literal.bytes
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Matches from the left: each text between two asterisks where it is found first, the last
    /// one at the end. If any way of matching exists, this one does: what follows a text has the
    /// more room, the earlier the text was found. So nothing is ever tried again.
    ///
    /// - Parameters:
    ///   - stepCount: grows by the number of comparisons, at most twice the namespace's bytes and
    ///     once the pattern's.
    ///   - capture: called with the bytes of each asterisk, also when a later text is not found.
    func matches(
        _ namespace: String, _ stepCount: inout Int, capture: (Range<Int>) -> Void
    ) -> Bool {
        var namespace = namespace
        return namespace.withUTF8 { bytes in
            let first = literals[0]
            guard let last = literals.last, bytes.count >= first.bytes.count,
                first.isFound(in: bytes, at: 0, &stepCount)
            else { return false }
            var position = first.bytes.count
            guard literals.count > 1 else { return position == bytes.count }
            let end = bytes.count - last.bytes.count
            guard end >= position, last.isFound(in: bytes, at: end, &stepCount) else {
                return false
            }
            for literal in literals[1..<(literals.count - 1)] {
                guard
                    let found = literal.firstPosition(
                        in: bytes, from: position, to: end, &stepCount)
                else { return false }
                capture(position..<found)
                position = found + literal.bytes.count
            }
            capture(position..<end)
            return true
        }
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

    /// Whether a namespace is meant. Who has many to look at makes a `NamespaceMatcher` once.
    func contains(_ namespace: Namespace) -> Bool { NamespaceMatcher(self).contains(namespace) }
}

/// A filter that is made ready for many namespaces: patterns without an asterisk, of which a filter
/// that was made of a list of collections may have as many as those, are looked up.
struct NamespaceMatcher: Sendable {
    /// Patterns as they are looked at.
    private struct Patterns: Sendable {
        private let names: Set<[UInt8]>
        private let wildcards: [NamespacePattern]
        let isEmpty: Bool

        init(_ patterns: [NamespacePattern]) {
            names = Set(patterns.compactMap(\.onlyName))
            wildcards = patterns.filter { $0.onlyName == nil }
            isEmpty = patterns.isEmpty
        }

        func contain(_ name: String) -> Bool {
            !names.isEmpty && names.contains(Array(name.utf8))
                || wildcards.contains { $0.matches(name) }
        }
    }

    private let database: String?
    private let included: Patterns
    private let excluded: Patterns

    init(_ filter: NamespaceFilter) {
        database = filter.database
        included = Patterns(filter.included)
        excluded = Patterns(filter.excluded)
    }

    func contains(_ namespace: Namespace) -> Bool {
        guard database == nil || database == namespace.database else { return false }
        let name = namespace.description
        return (included.isEmpty || included.contain(name)) && !excluded.contain(name)
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
