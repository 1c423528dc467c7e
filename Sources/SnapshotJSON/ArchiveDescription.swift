public import ArchiveFormat

/// What an archive is and what is in it.
public struct ArchiveDescription: Sendable {
    /// What stands at the archive's beginning.
    public let prelude: ArchivePrelude
    /// Nil for archives of other tools.
    public let manifest: Manifest?
    /// Of the manifest; else made of the prelude and what was counted.
    public let entries: [Manifest.NamespaceEntry]
    /// Bytes of the archive.
    public let storedByteCount: UInt64
    /// The hash that stands for the whole archive; nil where it is not known.
    public let seal: SHA256Digest?
    /// How long it took to find out.
    public let seconds: Double

    /// An archive with a manifest.
    public init(
        _ manifest: Manifest, prelude: ArchivePrelude, storedByteCount: UInt64,
        seal: SHA256Digest?, seconds: Double
    ) {
        self.manifest = manifest
        self.prelude = prelude
        entries = manifest.namespaces
        self.storedByteCount = storedByteCount
        self.seal = seal
        self.seconds = seconds
    }

    /// An archive of another tool.
    ///
    /// - Parameter totals: what was counted, in the prelude's order.
    public init(
        _ prelude: ArchivePrelude, totals: [DocumentTotals], storedByteCount: UInt64,
        seconds: Double
    ) {
        manifest = nil
        self.prelude = prelude
        entries = zip(prelude.namespaces, totals).map { descriptor, totals in
            var entry = Manifest.NamespaceEntry(descriptor)
            entry.totals = totals
            return entry
        }
        self.storedByteCount = storedByteCount
        seal = nil
        self.seconds = seconds
    }

    /// Of all namespaces.
    public var documentCount: UInt64 { entries.map(\.totals.documentCount).clampedSum() }
    /// Bytes of all documents, uncompressed.
    public var byteCount: UInt64 { entries.map(\.totals.byteCount).clampedSum() }
}

extension JSONValue {
    /// What an archive is and what is in it.
    ///
    /// - Parameter path: of its file; nil where there is none, or it is nobody's business.
    public init(_ archive: ArchiveDescription, path: String?) {
        let manifest = archive.manifest
        let common: [Member] = [
            Member("id", .optional(manifest?.id)),
            Member("path", .optional(path)),
            Member("format", .string(manifest == nil ? "mongodump" : "cairn")),
            Member("tool", .string(manifest?.tool ?? archive.prelude.toolVersion)),
            Member("documents", .count(archive.documentCount)),
            Member("bytes", .count(archive.byteCount)),
            Member("stored_bytes", .count(archive.storedByteCount)),
            Member("namespaces", .count(archive.entries.count)),
            Member("sha256", .optional(archive.seal?.description)),
            Member("seconds", .decimal(archive.seconds)),
        ]
        self = .object(
            common + (manifest?.members ?? [])
                + [Member("collections", .array(archive.entries.map { JSONValue($0) }))])
    }
}
