internal import ArchiveFormat
public import ArgumentParser
public import Snapshots

/// A codec as it is named on the command line.
enum CodecName: String, CaseIterable, ExpressibleByArgument, Sendable {
    case gzip
    case zstd
    case lz4

    /// The codec of that name.
    var codec: Codec {
        switch self {
        case .gzip: .gzip
        case .zstd: .zstd
        case .lz4: .lz4
        }
    }
}

extension Restore.Mode: ExpressibleByArgument {}

extension Restore.ConflictRule: ExpressibleByArgument {}

extension Export.Format: ExpressibleByArgument {}

extension Backup.ReadOrder: ExpressibleByArgument {}

extension Backup.Consistency: ExpressibleByArgument {}
