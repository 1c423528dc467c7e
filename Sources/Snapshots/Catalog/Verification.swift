public import ArchiveFormat
internal import BSONBytes
internal import ExtendedJSON
internal import ObjectStorage

/// What came of the last deep check of a snapshot. It is kept beside the archive, and counts only
/// for the very bytes that were checked: those that have its seal.
public struct Verification: Hashable, Sendable {
    /// What came of it.
    public enum Outcome: String, Sendable {
        /// Every byte was as it had been written.
        case ok
        /// Something was not.
        case damaged
    }

    /// When it ended, in milliseconds since 1970 UTC.
    public var at: Int64
    /// The hash that stood for the archive.
    public var seal: SHA256Digest
    /// How long it took.
    public var seconds: Double
    public var outcome: Outcome
    /// What was wrong; nil when nothing was.
    public var error: String?

    /// A check that found nothing wrong, or what it found.
    public init(at: Int64, seal: SHA256Digest, seconds: Double, error: String? = nil) {
        self.at = at
        self.seal = seal
        self.seconds = seconds
        outcome = error == nil ? .ok : .damaged
        self.error = error.map { String($0.prefix(Self.errorCharacterCountMax)) }
    }

    /// The files that checks are kept in.
    static let mark = MarkKind(suffix: ".verified", isDurable: true)

    private static let errorCharacterCountMax = 2000

    /// The text of the file, `formats/repository.md`, section 3.
    var text: [UInt8] {
        get throws {
            let document = BSONDocument {
                $0.append("version", Int32(1))
                $0.append("at", dateMilliseconds: at)
                $0.append("seal", seal.description)
                $0.append("seconds", seconds)
                $0.append("outcome", outcome.rawValue)
                if let error { $0.append("error", error) }
            }
            return Array(try ExtendedJSONWriter(mode: .relaxed).text(of: document).utf8)
        }
    }

    /// Reads the text of such a file.
    ///
    /// - Throws: `ExtendedJSONError`, `BSONError`, `ArchiveError` for what is none.
    init(text: [UInt8]) throws {
        let document = try ExtendedJSONParser.document(utf8: text)
        guard try document.require("version", \.wholeNumber) == 1,
            let seal = SHA256Digest(parsing: try document.require("seal", \.string)),
            let outcome = Outcome(rawValue: try document.require("outcome", \.string))
        else { throw ArchiveError(.malformed, "the note of a verification is damaged") }
        at = try document.require("at", \.dateMilliseconds)
        self.seal = seal
        seconds = try document.require("seconds") { $0.double ?? $0.wholeNumber.map(Double.init) }
        self.outcome = outcome
        error = try document.first("error")?.string
    }
}

extension SHA256Digest {
    /// Reads what `description` writes; nil for anything else.
    init?(parsing text: String) {
        let digits = Array(text.utf8)
        guard digits.count == 2 * Self.byteCount else { return nil }
        let bytes = stride(from: 0, to: digits.count, by: 2).compactMap { index in
            UInt8(String(decoding: digits[index...(index + 1)], as: UTF8.self), radix: 16)
        }
        self.init(bytes: bytes)
    }
}
