internal import BSONBytes

/// Dotted names of fields as a tree, so that a document is walked once however many there are. A
/// name leads through documents, and through arrays by position.
struct FieldTree: Sendable {
    private struct Node {
        var children: [[UInt8]: Int] = [:]
        /// Positions of the fields that end here.
        var fields: [Int] = []
    }

    private var nodes = [Node()]
    private let fieldCount: Int

    init(_ fields: [String]) {
        fieldCount = fields.count
        for (position, field) in fields.enumerated() {
            var current = 0
            for part in field.split(separator: ".", omittingEmptySubsequences: false) {
                let name = Array(part.utf8)
                if nodes[current].children[name] == nil {
                    nodes.append(Node())
                    nodes[current].children[name] = nodes.count - 1
                }
                current = nodes[current].children[name] ?? 0
            }
            nodes[current].fields.append(position)
        }
    }

    /// What each field is in a document; nil where it is missing. Of names that are there twice
    /// the first counts.
    ///
    /// - Throws: `BSONError` when an element on the way does not fit.
    func values(of document: BSONDocument) throws(BSONError) -> [BSONValue?] {
        var values = [BSONValue?](repeating: nil, count: fieldCount)
        try walk(document.bytes[...], 0, &values)
        return values
    }

    private func walk(
        _ document: ArraySlice<UInt8>, _ node: Int, _ values: inout [BSONValue?]
    ) throws(BSONError) {
        let children = nodes[node].children
        var found: Set<Int> = []
        var reader = BSONElementReader(document)
        while found.count < children.count, let element = try reader.next() {
            guard let child = children[Array(element.nameBytes)], found.insert(child).inserted
            else { continue }
            for field in nodes[child].fields { values[field] = element.value }
            let isNested = element.value.type == .document || element.value.type == .array
            if isNested, !nodes[child].children.isEmpty {
                try walk(element.value.bytes, child, &values)
            }
        }
    }
}
