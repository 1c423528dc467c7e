internal import FoundationEssentials

/// Where the next page of a list begins: behind the last entry of this one. For callers it is a
/// text without meaning; it holds the list's name, the entry's number and its name.
struct PageCursor {
    private static let byteCountMax = 4096

    /// What the list is ordered by: an instant or a sequence number.
    let number: Int64
    /// What tells entries of one number apart; empty where there are none.
    let name: String

    /// Behind the entry of that number and name.
    init(number: Int64, name: String = "") {
        self.number = number
        self.name = name
    }

    /// Reads the cursor of a list.
    ///
    /// - Throws: `StateError(.invalidCursor)` for any other text, that of another list included.
    init(parsing text: String, of list: String) throws {
        let invalid = StateError(
            .invalidCursor, "the cursor is not one of this list",
            hint: "use the cursor of a page's answer as it is, or none")
        // Base64 as URLs can hold it, which leaves out what fills the last four characters.
        let padding = String(repeating: "=", count: (4 - text.utf8.count % 4) % 4)
        let standard = text.replacing("-", with: "+").replacing("_", with: "/") + padding
        guard text.utf8.count <= Self.byteCountMax, let data = Data(base64Encoded: standard),
            let content = String(validating: data, as: UTF8.self)
        else { throw invalid }
        let parts = content.split(
            separator: "/", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0] == list, let number = Int64(parts[1]),
            String(number) == parts[1], !parts[2].utf8.contains(0)
        else { throw invalid }
        self.number = number
        name = String(parts[2])
    }

    /// The cursor as callers get it.
    func text(of list: String) -> String {
        Data("\(list)/\(number)/\(name)".utf8).base64EncodedString()
            .replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }
}
