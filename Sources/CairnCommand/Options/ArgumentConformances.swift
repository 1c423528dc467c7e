public import ArchiveFormat
public import ArgumentParser
public import Snapshots

extension Codec: ExpressibleByArgument {
    /// A codec by its name.
    public init?(argument: String) {
        self.init(name: argument)
    }

    /// The name, as help shows a default.
    public var defaultValueDescription: String { name }

    /// All names, for help and completion.
    public static var allValueStrings: [String] { allCases.map(\.name) }
}

extension Restore.Mode: ExpressibleByArgument {}
