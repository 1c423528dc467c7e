internal import ArchiveFormat

/// What the hash of an audit entry is taken over, byte by byte. No two entries have the same bytes.
///
/// First the 20 bytes `cairn audit entry 1\n`, then twelve fields in this order: sequence, at,
/// subject, role, address, request id, action, resource, outcome, status, details, previous hash.
/// Integers are little-endian.
///
/// | field | bytes |
/// |---|---|
/// | absent | `00` |
/// | integer | `01`, then its value in 8 bytes (two's complement) |
/// | text | `02`, then its length in 8 bytes, then so many bytes of UTF-8 |
///
/// The hash is SHA-256, as 64 lowercase hexadecimal digits; so is the previous hash, as text. The
/// first entry's previous hash is 64 zeros.
struct AuditEncoding {
    private static let prefix = Array("cairn audit entry 1\n".utf8)

    private var bytes = Self.prefix

    /// The hash of everything that was added.
    var hash: String { SHA256Digest(of: bytes).description }

    /// Adds an integer, or its absence.
    mutating func add(_ value: Int64?) {
        guard let value else { return bytes.append(0) }
        bytes.append(1)
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }

    /// Adds a text, or its absence.
    mutating func add(text: (some Collection<UInt8>)?) {
        guard let text else { return bytes.append(0) }
        bytes.append(2)
        withUnsafeBytes(of: Int64(text.count).littleEndian) { bytes.append(contentsOf: $0) }
        bytes.append(contentsOf: text)
    }

    /// The hash of an entry.
    static func hash(sequence: Int64, _ event: AuditEvent, previousHash: String) -> String {
        var encoding = AuditEncoding()
        encoding.add(sequence)
        encoding.add(event.at)
        encoding.add(text: event.subject.utf8)
        encoding.add(text: event.role?.utf8)
        encoding.add(text: event.address?.utf8)
        encoding.add(text: event.requestID?.utf8)
        encoding.add(text: event.action.utf8)
        encoding.add(text: event.resource?.utf8)
        encoding.add(text: event.outcome.rawValue.utf8)
        encoding.add(event.status.map(Int64.init))
        encoding.add(text: event.details?.utf8)
        encoding.add(text: previousHash.utf8)
        return encoding.hash
    }
}
