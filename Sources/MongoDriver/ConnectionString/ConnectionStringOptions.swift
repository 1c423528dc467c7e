import CMongoC

/// The options of a connection string, as they are written. libmongoc drops what it does not know,
/// what is empty and what is given twice, with a word to its log only: a mistyped `tls` would be a
/// plain connection.
struct ConnectionStringOptions {
    /// More than there are to know.
    private static let countMax = 200
    /// How far a write concern may be from `majority` before it is a name of its own.
    private static let misspellingDistanceMax = 2

    private let pairs: [(name: String, value: String)]

    /// Reads what follows the question mark; none when there is no such part.
    ///
    /// - Throws: `MongoError` with `invalidURI`.
    init(_ string: String) throws(MongoError) {
        guard let scheme = string.firstRange(of: "://") else {
            pairs = []
            return
        }
        let rest = string[scheme.upperBound...]
        let path = rest.firstIndex(of: "/").map { rest[$0...] } ?? rest[rest.endIndex...]
        guard let mark = path.firstIndex(of: "?") else {
            pairs = []
            return
        }
        let pieces = path[path.index(after: mark)...].split(separator: "&")
        guard pieces.count <= Self.countMax else {
            throw Self.error("it has \(pieces.count) options; at most \(Self.countMax) are read")
        }
        pairs = pieces.map { piece in
            let parts = piece.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let value = parts.count == 2 ? Self.decoded(parts[1]) : ""
            return (String(parts[0]), value)
        }
    }

    /// That each is known, is given once, and has a value that it can have.
    ///
    /// - Throws: `MongoError` with `invalidURI` for the first that does not.
    func check() throws(MongoError) {
        var seen: [String: String] = [:]
        for (name, value) in pairs {
            guard let option = ConnectionOption.byName[name.lowercased()] else {
                let isSuspicious = name.count > 64 || name.contains("@") || name.contains(":")
                throw Self.error(
                    isSuspicious
                        ? "a part after its question mark is not an option"
                        : "the option \"\(name)\" is not known; is "
                            + "\"\(ConnectionOption.nearestName(to: name))\" meant?")
            }
            // An empty list of tags is one that any member fits.
            if case .repeatable = option.kind { continue }
            guard !value.isEmpty else {
                throw Self.error("the option \"\(name)\" has no value")
            }
            if let other = seen.updateValue(name, forKey: option.currentName) {
                throw Self.error(
                    other.lowercased() == name.lowercased()
                        ? "the option \"\(name)\" is given twice"
                        : "\"\(other)\" and \"\(name)\" are the same option; give one of them")
            }
            try check(value, of: option, name)
        }
        try checkTLS()
    }

    private func check(
        _ value: String, of option: ConnectionOption, _ name: String
    ) throws(MongoError) {
        switch option.kind {
        case .flag:
            let words = ["true", "false", "1", "0", "-1", "yes", "no", "y", "n", "t", "f"]
            guard words.contains(value.lowercased()) else {
                throw Self.error("the option \"\(name)\" must be true or false")
            }
        case .number(let range):
            guard let number = Int(value), range.contains(number) else {
                throw Self.error(
                    "the option \"\(name)\" must be a whole number from \(range.lowerBound) to "
                        + "\(range.upperBound)")
            }
        case .word(let words):
            guard !words.contains(where: { $0.lowercased() == value.lowercased() }) else { return }
            throw Self.unknown(value, name, words)
        case .words(let words):
            for part in value.split(separator: ",", omittingEmptySubsequences: false)
            where !words.contains(part.lowercased()) {
                throw Self.unknown(String(part), name, words)
            }
        case .writeConcern: try checkWriteConcern(value, name)
        case .text, .repeatable: break
        }
    }

    private func checkWriteConcern(_ value: String, _ name: String) throws(MongoError) {
        if let first = value.first, first == "-" || first.isNumber {
            guard let number = Int32(value), (0...50).contains(number) else {
                throw Self.error(
                    "the option \"\(name)\" must be a number from 0 to 50, majority, or the name "
                        + "of a write concern of the replica set's")
            }
            return
        }
        // A replica set may have write concerns of its own, of any name.
        let distance = EditDistance.between(value.lowercased(), "majority")
        guard distance == 0 || distance > Self.misspellingDistanceMax else {
            throw Self.unknown(value, name, ["majority"])
        }
    }

    /// TLS that is switched off and asked for all the same.
    private func checkTLS() throws(MongoError) {
        let off = pairs.first { name, value in
            ["tls", "ssl"].contains(name.lowercased())
                && ["false", "0", "-1", "no", "n", "f"].contains(value.lowercased())
        }
        let needing = pairs.first { name, value in
            let current = ConnectionOption.byName[name.lowercased()]?.currentName ?? ""
            return current.hasPrefix("tls") && current != "tls"
                && !["false", "0", "-1", "no", "n", "f"].contains(value.lowercased())
        }
        if let off, let needing {
            throw Self.error(
                "\"\(off.name)\" switches TLS off, and \"\(needing.name)\" is about TLS; remove one"
            )
        }
    }

    private static func unknown(_ value: String, _ name: String, _ words: [String]) -> MongoError {
        let isLong = value.count > 64 || value.contains("@")
        let shown = isLong ? "that" : "\"\(value)\""
        let nearest = ConnectionOption.nearest(of: words, to: value)
        return error(
            "the option \"\(name)\" can't be \(shown); is \"\(nearest)\" meant?")
    }

    private static func error(_ reason: String) -> MongoError {
        MongoError(.invalidURI, "the connection string cannot be used: \(reason)")
    }

    /// Percent-decoded; as it is where that can't be done, for libmongoc refuses that itself.
    private static func decoded(_ text: Substring) -> String {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            let digits = String(decoding: rest.prefix(2), as: UTF8.self)
            if byte == UInt8(ascii: "%"), digits.utf8.count == 2,
                let code = UInt8(digits, radix: 16)
            {
                bytes.append(code)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
