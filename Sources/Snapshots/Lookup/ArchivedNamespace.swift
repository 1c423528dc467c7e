internal import ArchiveEngine
public import ArchiveFormat

/// One namespace of an archive, found by its name.
struct ArchivedNamespace {
    let ordinal: UInt32
    let descriptor: NamespaceDescriptor

    /// - Throws: `notFound` when the archive has none of that name, `unsupported` for a view.
    init(_ namespace: Namespace, in reader: any ArchiveReader) throws {
        let namespaces = reader.prelude.namespaces
        let position = namespaces.firstIndex {
            $0.namespace == namespace || $0.dataNamespace == namespace
        }
        guard let position else {
            throw SnapshotError(
                .notFound,
                "there is no collection \(namespace) in the archive; \"cairn show\" lists those "
                    + "there are")
        }
        ordinal = UInt32(position)
        descriptor = namespaces[position]
        guard descriptor.type != .view else {
            throw SnapshotError(.unsupported, "\(namespace) is a view and holds no documents")
        }
    }
}

extension Namespace {
    /// Reads `database.collection`; nil for anything else.
    public init?(parsing text: String) {
        // The one namespace of an archive that has no database.
        let oplog = NamespaceDescriptor.oplog.namespace
        if text == oplog.description {
            self = oplog
            return
        }
        guard let dot = text.firstIndex(of: "."), dot != text.startIndex else { return nil }
        let collection = text[text.index(after: dot)...]
        guard !collection.isEmpty else { return nil }
        self.init(String(text[..<dot]), String(collection))
    }
}
