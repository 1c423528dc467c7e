/// The name of a file in a folder that mongodump wrote: the collection's name, escaped as in the
/// query of a URL, and a suffix. Suffixes count in any case, for files may have been on a disk that
/// does not keep it.
public struct MongodumpFileName: Hashable, Sendable {
    /// What such a file holds.
    public enum Content: Hashable, Sendable {
        /// Documents, one after another.
        case documents
        /// Options and indexes as Extended JSON.
        case metadata
    }

    /// The name without its suffix, as it stands there.
    public let stem: String
    public let content: Content

    /// The suffix `.bin` is that of very old dumps.
    private static let suffixes: [(text: String, content: Content)] = [
        (".metadata.json.gz", .metadata), (".metadata.json", .metadata),
        (".bson.gz", .documents), (".bson", .documents), (".bin", .documents),
    ]
    /// Bytes of the longest stem. A longer one is cut, and a hash of the name put behind it.
    private static let stemByteCountMax = 238
    /// Bytes of a cut stem that are still the name's.
    private static let keptByteCount = 208
    /// What is between both; no name that is escaped whole is both so long and has it.
    private static let hashMark = "%24"

    /// - Returns: nil for a name that is not one of mongodump's, such as that of a hidden file.
    public init?(_ fileName: String) {
        let bytes = Array(fileName.utf8)
        let lowercased = bytes.map { (0x41...0x5A).contains($0) ? $0 + 0x20 : $0 }
        guard bytes.first != UInt8(ascii: "."),
            let suffix = Self.suffixes.first(where: {
                lowercased.count > $0.text.utf8.count
                    && lowercased.suffix($0.text.utf8.count).elementsEqual($0.text.utf8)
            })
        else { return nil }
        stem = String(decoding: bytes.dropLast(suffix.text.utf8.count), as: UTF8.self)
        content = suffix.content
    }

    /// Whether the collection's name is too long for a file's, so that only its metadata has it.
    public var isCut: Bool {
        stem.utf8.count == Self.stemByteCountMax && stem.contains(Self.hashMark)
    }

    /// Whether it is the cut name of that collection, as far as its beginning tells.
    public func isCut(from collection: String) -> Bool {
        let whole = Self.escaped(collection)
        return isCut && whole.count > Self.stemByteCountMax
            && whole.prefix(Self.keptByteCount).elementsEqual(stem.utf8.prefix(Self.keptByteCount))
    }

    /// The collection's name, of a stem that is not cut.
    ///
    /// - Throws: `malformed` for one that was not escaped by mongodump.
    public func collection() throws(ArchiveError) -> String {
        var name: [UInt8] = []
        var bytes = Array(stem.utf8)[...]
        while let byte = bytes.popFirst() {
            switch byte {
            case UInt8(ascii: "+"): name.append(UInt8(ascii: " "))
            case UInt8(ascii: "%"):
                guard let high = bytes.popFirst().flatMap(Self.digit),
                    let low = bytes.popFirst().flatMap(Self.digit)
                else {
                    throw ArchiveError(
                        .malformed,
                        "the file's name has a percent sign that is not followed by two "
                            + "hexadecimal digits; mongodump writes %25 for one")
                }
                name.append(high << 4 | low)
            default: name.append(byte)
            }
        }
        guard !name.contains(0), let text = String(validating: name, as: UTF8.self) else {
            throw ArchiveError(
                .malformed, "the file's name, with its escapes resolved, is not a name in UTF-8")
        }
        return text
    }

    /// A name as mongodump escapes it.
    static func escaped(_ collection: String) -> [UInt8] {
        collection.utf8.flatMap { byte -> [UInt8] in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: return [byte]
            case UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "~"):
                return [byte]
            case UInt8(ascii: " "): return [UInt8(ascii: "+")]
            default:
                let digits = Array("0123456789ABCDEF".utf8)
                return [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte - 0x41 + 10
        case 0x61...0x66: byte - 0x61 + 10
        default: nil
        }
    }
}
