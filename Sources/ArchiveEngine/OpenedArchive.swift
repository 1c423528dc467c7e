/// An archive that was opened, and so what can be done with it.
public enum OpenedArchive {
    /// One with its index: its chunks can be read in any order.
    case indexed(IndexedArchiveReader)
    /// One of Cairn's that comes front to back, such as through a pipe.
    case streamed(any ArchiveReader)
    /// Another tool's, without checksums of its chunks and without an index.
    case foreign(any ArchiveReader)

    /// Reads it, whatever it is.
    public var reader: any ArchiveReader {
        switch self {
        case .indexed(let reader): reader
        case .streamed(let reader), .foreign(let reader): reader
        }
    }

    /// Reads it in any order; nil where there is no index to do so by.
    public var indexed: IndexedArchiveReader? {
        guard case .indexed(let reader) = self else { return nil }
        return reader
    }
}
