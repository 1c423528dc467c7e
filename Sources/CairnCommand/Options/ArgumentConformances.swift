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

/// What a restore does, as it is named on the command line.
enum ModeName: String, CaseIterable, ExpressibleByArgument, Sendable {
    case preview
    case merge
    case replace

    /// How it writes; nil for what does not.
    var written: Restore.Mode? { Restore.Mode(rawValue: rawValue) }
}

extension Restore.ConflictRule: ExpressibleByArgument {}

extension Export.Format: ExpressibleByArgument {}

extension Backup.ReadOrder: ExpressibleByArgument {}

extension Backup.Consistency: ExpressibleByArgument {}
