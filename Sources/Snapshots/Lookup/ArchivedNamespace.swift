internal import ArchiveEngine
public import ArchiveFormat
internal import BSONBytes

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
            throw SnapshotError(.unsupported, try Self.refusal(descriptor))
        }
    }

    private static func refusal(_ view: NamespaceDescriptor) throws -> String {
        let name = view.namespace
        guard let source = try view.options.first("viewOn")?.string else {
            return "\(name) is a view and has no documents of its own"
        }
        return "\(name) is a view on \(name.database).\(source) and has no documents of its own; "
            + "name the collection that it is on instead"
    }

    /// What one of its documents is, in a word.
    var noun: String {
        if descriptor.isOplog { return "change" }
        return StoredUnit(descriptor.namespace, descriptor.type)?.rawValue ?? "document"
    }

    /// What its documents are, where they are not what a server shows; nil for ordinary ones.
    var note: String? {
        let name = descriptor.namespace
        if descriptor.isOplog {
            return "\(name) is the archive's oplog: its entries are the changes that were made "
                + "during the backup"
        }
        if descriptor.type == .timeseries {
            return "\(name) is a time series: these are its buckets, as they are stored, each with "
                + "many measurements"
        }
        if descriptor.isAuthorization || name.collection.hasPrefix("$admin.") {
            return "\(name) holds users or roles as a server keeps them, with what it needs to "
                + "check passwords"
        }
        return nil
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
