/// The table in `docs/internals.md` that says why each target exists and what it may import: a
/// header whose last column is "may import", and rows of one or more names in backticks, lowest
/// layer first.
///
/// The last column holds names, or "everything", "all above", "`Name` and below"; a dash for none.
struct TargetTable {
    /// Targets that share a row, and what its last column says.
    struct Row {
        let names: [String]
        let mayImport: String
    }

    let rows: [Row]

    init(_ readme: String) {
        var rows: [Row] = []
        var isInside = false
        for line in readme.split(separator: "\n", omittingEmptySubsequences: false) {
            guard line.hasPrefix("|") else {
                isInside = false
                continue
            }
            let cells = line.split(separator: "|", omittingEmptySubsequences: false)
                .map { $0.drop { $0 == " " } }
            guard cells.count == 5 else { continue }
            if cells[3].hasPrefix("may import") { isInside = true }
            let names = Self.names(cells[1])
            if isInside, !names.isEmpty {
                rows.append(Row(names: names, mayImport: String(cells[3])))
            }
        }
        self.rows = rows
    }

    /// All targets with a row.
    var names: Set<String> { Set(rows.flatMap(\.names)) }

    /// The targets that a target may import; nil when it has no row.
    func allowed(for name: String) -> Set<String>? {
        guard let position = rows.firstIndex(where: { $0.names.contains(name) }) else { return nil }
        let text = rows[position].mayImport
        if text.contains("everything") { return names }
        var allowed = Set(Self.words(text))
        if text.contains("all above") {
            allowed.formUnion(rows[..<position].flatMap(\.names))
        }
        if text.contains("and below"), let top = Self.words(text).first,
            let end = rows.firstIndex(where: { $0.names.contains(top) })
        {
            allowed.formUnion(rows[...end].flatMap(\.names))
        }
        return allowed
    }

    /// Names in the last column that have no row themselves: typing errors, mostly.
    var unknownNames: [String] {
        rows.flatMap { row in
            Self.words(row.mayImport).filter { $0.contains(where: \.isUppercase) }
        }
        .filter { !names.contains($0) }
    }

    private static func names(_ cell: Substring) -> [String] {
        cell.split(separator: "`", omittingEmptySubsequences: false).enumerated()
            .filter { $0.offset % 2 == 1 }
            .map { String($0.element) }
    }

    private static func words(_ text: String) -> [String] {
        text.split { !($0.isLetter || $0.isNumber || $0 == "-" || $0 == "_") }.map(String.init)
    }
}
