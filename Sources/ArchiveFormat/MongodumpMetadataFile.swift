internal import BSONBytes
internal import ExtendedJSON

/// The content of a `.metadata.json` file.
public struct MongodumpMetadataFile: Sendable {
    /// The name of the collection, which newer mongodumps state; nil where it is not stated.
    public let collectionName: String?
    private let text: [UInt8]

    /// - Parameter text: of the file; an empty one states nothing.
    /// - Throws: `malformed`.
    public init(_ text: [UInt8]) throws(ArchiveError) {
        self.text = text
        do {
            collectionName =
                text.isEmpty
                ? nil
                : try ExtendedJSONParser.document(utf8: text).first("collectionName")?.string
        } catch {
            throw ArchiveError(.malformed, "the metadata is damaged: \(error)")
        }
    }

    /// What it says of a namespace.
    ///
    /// - Throws: `malformed`.
    public func descriptor(of namespace: Namespace) throws(ArchiveError) -> NamespaceDescriptor {
        var descriptor = NamespaceDescriptor(namespace: namespace, type: .collection)
        do {
            try MongodumpMetadata.decode(
                String(decoding: text, as: UTF8.self), into: &descriptor)
        } catch {
            throw ArchiveError(
                .malformed, "the metadata is damaged: \(error)", namespace: namespace.description)
        }
        return descriptor
    }
}

/// The content of a `prelude.json` file.
public struct MongodumpPreludeFile: Sendable {
    /// "unknown" where it is not stated.
    public let serverVersion: String
    public let toolVersion: String

    /// - Throws: `malformed`.
    public init(_ text: [UInt8]) throws(ArchiveError) {
        do {
            let document = try ExtendedJSONParser.document(utf8: text)
            serverVersion = try document.first("ServerVersion")?.string ?? "unknown"
            toolVersion = try document.first("ToolVersion")?.string ?? "unknown"
        } catch {
            throw ArchiveError(.malformed, "the prelude is damaged: \(error)")
        }
    }
}
