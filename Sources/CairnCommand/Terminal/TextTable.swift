/// Aligned columns under a header, two spaces apart.
struct TextTable {
    /// A column's header, and the side that its texts stand on.
    struct Column {
        let title: String
        let isNumber: Bool

        /// A column of texts, on the left.
        static func text(_ title: String) -> Column { Column(title: title, isNumber: false) }
        /// A column of numbers, on the right.
        static func number(_ title: String) -> Column { Column(title: title, isNumber: true) }
    }

    private let columns: [Column]
    private var rows: [[String]] = []

    /// A table without rows.
    init(_ columns: [Column]) {
        self.columns = columns
    }

    /// Adds a row; its texts are made visible.
    ///
    /// - Parameter cells: one for each column.
    mutating func add(_ cells: [String]) {
        precondition(cells.count == columns.count, "a row has a cell for each column")
        rows.append(cells.map(Formatting.visible))
    }

    /// The lines, without the columns that are empty in all rows.
    var lines: [String] {
        let shown = columns.indices.filter { index in
            rows.isEmpty || rows.contains { !$0[index].isEmpty }
        }
        let all = [columns.map(\.title)] + rows
        let widths = columns.indices.map { index in all.map { $0[index].count }.max() ?? 0 }
        return all.map { cells in
            let line = shown.map { index in
                let space = String(repeating: " ", count: widths[index] - cells[index].count)
                return columns[index].isNumber ? space + cells[index] : cells[index] + space
            }
            .joined(separator: "  ")
            return String(line.reversed().drop { $0 == " " }.reversed())
        }
    }
}
