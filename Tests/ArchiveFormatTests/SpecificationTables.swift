import Foundation

/// The tables of `formats/archive.md`, to be compared with the code.
struct SpecificationTables {
    /// A table: the section it is in, its column titles, its rows of cells without back quotes.
    struct Table {
        var section: String
        var columns: [String]
        var rows: [[String]]
    }

    let tables: [Table]

    init() throws {
        let path = URL(filePath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "formats/archive.md")
        var tables: [Table] = []
        var section = ""
        var isInTable = false
        for line in try String(contentsOf: path, encoding: .utf8).split(
            separator: "\n", omittingEmptySubsequences: false)
        {
            if line.hasPrefix("#") { section = String(line.drop { $0 == "#" || $0 == " " }) }
            guard line.hasPrefix("|") else {
                isInTable = false
                continue
            }
            let cells = Self.cells(line)
            if !isInTable {
                tables.append(Table(section: section, columns: cells, rows: []))
            } else if !line.hasPrefix("|--") {
                tables[tables.count - 1].rows.append(cells)
            }
            isInTable = true
        }
        self.tables = tables
    }

    /// The only table of a section whose first column has that title.
    func table(_ section: String, _ column: String) -> Table? {
        let found = tables.filter { $0.section.hasPrefix(section) && $0.columns[0] == column }
        return found.count == 1 ? found[0] : nil
    }

    private static func cells(_ line: Substring) -> [String] {
        line.split(separator: "|").map {
            $0.trimmingCharacters(in: CharacterSet(charactersIn: " `"))
        }
    }
}
