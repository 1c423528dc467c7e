import ArgumentParser
import Glibc
import SampleData

/// The documents of a data set without a server: what a loop of bare inserts is fed with.
struct WriteCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "write",
        abstract: "Write the documents of a data set to standard output, one after the other.")

    @Option(
        help: ArgumentHelp(
            "What to write. Themes: \(DataSetOption.themes).", valueName: "theme:documents"))
    var dataSet: DataSetOption

    @OptionGroup var seed: SeedOption

    /// Documents made at a time.
    private static let stepDocumentCount = 64

    func run() throws {
        var bytes: [UInt8] = []
        for collection in dataSet.dataSet(seed: seed.seed).collections {
            let count = collection.documentCount
            for start in stride(from: 0, to: count, by: Self.stepDocumentCount) {
                bytes.removeAll(keepingCapacity: true)
                collection.append(start..<min(count, start + Self.stepDocumentCount), to: &bytes)
                try bytes.withUnsafeBytes(writeAll)
            }
        }
    }

    private func writeAll(_ bytes: UnsafeRawBufferPointer) throws {
        var left = bytes[...]
        while !left.isEmpty {
            let count = write(
                STDOUT_FILENO, UnsafeRawBufferPointer(rebasing: left).baseAddress, left.count)
            guard count > 0 || errno == EINTR else {
                throw DemoError("standard output takes no more (errno \(errno))")
            }
            left = left.dropFirst(max(count, 0))
        }
    }
}
