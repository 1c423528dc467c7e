internal import BSONBytes
internal import ExtendedJSON

/// The `metadata` string of a namespace in the prelude: options and indexes as Extended JSON
/// (`formats/archive.md`, section 5.3). Written in mongodump's canonical spelling; read in that and
/// in the older spellings.
enum MongodumpMetadata {
    static func encode(_ descriptor: NamespaceDescriptor) throws(ArchiveError) -> String {
        let document = BSONDocument {
            if !descriptor.options.isEmpty { $0.append("options", descriptor.options) }
            $0.append("indexes", array: descriptor.indexes)
            if let uuid = descriptor.uuid {
                $0.append(
                    "uuid", uuid.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined())
            }
            $0.append("collectionName", descriptor.namespace.collection)
            if descriptor.type != .special { $0.append("type", descriptor.type.rawValue) }
        }
        do {
            return try ExtendedJSONWriter().text(of: document)
        } catch {
            throw ArchiveError(
                .malformed, "options or indexes can't be written as Extended JSON: \(error)",
                namespace: descriptor.namespace.description)
        }
    }

    /// Fills in options, indexes and UUID, and the type where the prelude did not state one.
    static func decode(_ text: String, into descriptor: inout NamespaceDescriptor) throws {
        guard !text.isEmpty else { return }
        let document = try ExtendedJSONParser.document(text)
        descriptor.options = try document.first("options")?.document ?? BSONDocument()
        descriptor.indexes = try document.first("indexes")?.array()?.compactMap(\.document) ?? []
        if let type = try document.first("type")?.string.flatMap(NamespaceType.init) {
            descriptor.type = type
        } else if try descriptor.options.first("viewOn")?.string != nil {
            descriptor.type = .view
        } else if try descriptor.options.first("timeseries")?.document != nil {
            descriptor.type = .timeseries
        }
        descriptor.uuid = try document.first("uuid")?.string.flatMap(uuid)
    }

    private static func uuid(_ hexadecimal: String) -> [UInt8]? {
        let digits = Array(hexadecimal.utf8)
        guard digits.count == 32 else { return nil }
        let bytes = stride(from: 0, to: 32, by: 2).compactMap { index in
            UInt8(String(decoding: digits[index...index + 1], as: UTF8.self), radix: 16)
        }
        return bytes.count == 16 ? bytes : nil
    }
}
