import ArgumentParser
import SampleData

/// A data set as a command line names it: `THEME:DOCUMENTS`, or `THEME:DOCUMENTS:DATABASE`.
struct DataSetOption: ExpressibleByArgument, Sendable {
    let theme: SampleTheme
    let documentCount: Int
    /// The theme's name unless another one is given.
    let database: String

    init?(argument: String) {
        let parts = argument.split(separator: ":", omittingEmptySubsequences: false)
        guard (2...3).contains(parts.count), let theme = SampleTheme(rawValue: String(parts[0])),
            let count = Int(parts[1]), DataOptions.documentCounts.contains(count),
            parts.last != ""
        else { return nil }
        self.theme = theme
        documentCount = count
        database = parts.count == 3 ? String(parts[2]) : theme.rawValue
    }

    /// The data of it.
    func dataSet(seed: UInt64) -> SampleDataSet {
        SampleDataSet(theme, seed: seed, documentCount: documentCount)
    }

    /// For help texts.
    static let themes = SampleTheme.allCases.map(\.rawValue).joined(separator: ", ")
}
