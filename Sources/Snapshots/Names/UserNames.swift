internal import ArchiveFormat
internal import MongoDriver

/// Collections by the names that users know. A server's errors are about the collection that a
/// restore was writing to, which is one of its own, or the buckets of a time series.
enum UserNames {
    private static let ownPrefix = "cairn."
    private static let bucketsPrefix = "system.buckets."

    /// The same text with a restore's own collections replaced by those that they are for.
    static func inText(_ text: String) -> String {
        var result = ""
        var rest = text[...]
        while let start = rest.firstRange(of: ownPrefix)?.lowerBound {
            result += rest[..<start]
            let word = rest[start...].prefix { !$0.isWhitespace && !"\"'(),;".contains($0) }
            if let (name, length) = original(of: word) {
                result = replacing(&result, by: name)
                rest = rest[rest.index(start, offsetBy: length)...]
            } else {
                result += ownPrefix
                rest = rest[rest.index(start, offsetBy: ownPrefix.count)...]
            }
        }
        result += rest
        for (name, original) in [
            (ReservedName.users, "system.users"), (ReservedName.roles, "system.roles"),
        ] {
            result = result.replacing("admin.\(name)", with: "admin.\(original)")
        }
        return result.replacing(bucketsPrefix, with: "")
    }

    /// - Returns: the text so far with the name, which replaces its database too where it is known.
    private static func replacing(_ text: inout String, by name: OriginalName) -> String {
        guard case .namespace(let namespace) = name else { return text + name.collection }
        let database = namespace.database + "."
        return text.hasSuffix(database)
            ? text.dropLast(database.count) + namespace.description : text + namespace.collection
    }

    private enum OriginalName {
        case namespace(Namespace)
        case collection(String)

        var collection: String {
            switch self {
            case .namespace(let namespace): namespace.collection
            case .collection(let name): name
            }
        }
    }

    /// What the word begins with, and of how many characters that is. A name may be followed by
    /// punctuation, which no staging collection's ends with.
    private static func original(of word: Substring) -> (OriginalName, Int)? {
        var name = word
        while !name.isEmpty {
            if let staging = StagingName(String(name)) {
                guard let target = StagingClaim.target(of: staging) else { return nil }
                return (.namespace(target), name.count)
            }
            guard let last = name.last, ":.".contains(last) else { break }
            name.removeLast()
        }
        let text = String(word)
        let kept = SwapName(text)?.kept ?? KeptName(text)
        return kept.map { (.collection($0.collection), word.count) }
    }
}

extension Error {
    /// The same error about the collections that the user knows.
    var inUserNames: any Error {
        switch self {
        case let error as MongoError:
            // What this program says by itself is said as it is meant.
            guard error.serverCode != nil || error.code != .unauthorized else { return error }
            return error.saying(UserNames.inText(error.message))
        case let error as SnapshotError:
            return SnapshotError(error.code, UserNames.inText(error.message))
        default: return self
        }
    }
}
