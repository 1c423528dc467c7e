internal import ArchiveFormat
internal import BSONBytes
internal import DocumentQuery
internal import MongoDriver

/// Foretells which documents a unique index of a live collection would refuse of a merge: for the
/// first documents that it would write, the server is asked for others with the same keys. Exact as
/// long as those stay as they are: the merge itself may overwrite one of them before, or after.
struct UniqueForesight {
    /// Documents that are looked at of one collection.
    static let documentCountMax = ComparedPair.changedCountMax
    /// Documents of one question.
    private static let batchDocumentCount = 50

    let namespace: Namespace
    let pool: MongoPool
    let sampleCount: Int

    /// A unique index and what it is about.
    private struct Index {
        let name: String
        let fields: [[UInt8]]
        let isSparse: Bool
        /// Of a partial index: as the server reads it, and as it is read here.
        let filter: (document: BSONDocument, matcher: DocumentFilter)?
        let collation: BSONDocument

        /// - Returns: nil for an index that can't be foretold: its filter can't be read here.
        init?(_ index: BSONDocument) throws {
            name = try index.require("name", \.string)
            fields = try index.require("key", \.document).elements().map { Array($0.nameBytes) }
            isSparse = try index.first("sparse")?.isTruthy ?? false
            if let document = try index.first("partialFilterExpression")?.document {
                guard let matcher = try? DocumentFilter(document) else { return nil }
                filter = (document, matcher)
            } else {
                filter = nil
            }
            collation =
                try index.first("collation")?.document
                ?? BSONDocument { $0.append("locale", "simple") }
        }
    }

    /// - Parameters:
    ///   - indexes: those of the live collection.
    ///   - places: where documents are in the archive that a merge would write.
    /// - Returns: what would be refused, and the names of indexes of which it is not known.
    func conflicts(
        _ indexes: [BSONDocument], _ places: [ComparedContent.Place],
        in documents: ArchivedDocuments
    ) async throws -> (found: [NamespaceDifference.UniqueConflict], unknown: [String]) {
        let unique = try indexes.filter { try $0.first("unique")?.isTruthy == true }
        let known = try unique.compactMap { try Index($0) }
        var found: [String: NamespaceDifference.UniqueConflict] = [:]
        var partlyKnown: Set<String> = []
        let chunks = Dictionary(grouping: places, by: \.sequence).sorted { $0.key < $1.key }
        for (sequence, places) in known.isEmpty ? [] : chunks {
            let content = try await documents.content(sequence)
            let candidates = try places.map { try content.document($0) }
            for index in known where !partlyKnown.contains(index.name) {
                let ids: [BSONValue]
                do {
                    var isExact = true
                    ids = try await conflicts(candidates, index, &isExact)
                    if !isExact { partlyKnown.insert(index.name) }
                } catch let error as MongoError
                    where error.code == .command || error.code == .tooLarge
                {
                    // Not every key can be asked for, nor fifty large ones at once.
                    partlyKnown.insert(index.name)
                    continue
                }
                for id in ids {
                    var conflict = found[index.name] ?? .init(index: index.name)
                    conflict.documentCount += 1
                    if conflict.ids.count < sampleCount {
                        conflict.ids.append(DocumentExcerpt.shown(id))
                    }
                    found[index.name] = conflict
                }
            }
        }
        let names = Set(known.map(\.name))
        let unknown = try unique.map { try $0.require("name", \.string) }
            .filter { !names.contains($0) || partlyKnown.contains($0) }
        return (found.values.sorted { $0.index < $1.index }, unknown)
    }

    /// The `_id`s of documents whose keys others have.
    ///
    /// - Parameter isExact: false for a document of whose keys not all can be told.
    private func conflicts(
        _ documents: [BSONDocument], _ index: Index, _ isExact: inout Bool
    ) async throws -> [BSONValue] {
        let matcher = index.filter.map { $0.matcher.matcher() }
        let questions = try documents.compactMap { document -> (BSONValue, BSONDocument)? in
            if let matcher {
                guard try document.bytes.withUnsafeBytes({ try matcher.matches($0) }) else {
                    return nil
                }
            }
            guard let keys = try Self.keys(of: document, index, &isExact) else { return nil }
            let id = try document.identifier
            let other = BSONDocument { $0.append("$ne", id) }
            let parts = [keys, BSONDocument { $0.append("_id", other) }]
            return (id, BSONDocument { $0.append("$and", array: parts) })
        }
        var found: [BSONValue] = []
        for start in stride(from: 0, to: questions.count, by: Self.batchDocumentCount) {
            try Task.checkCancellation()
            let batch = questions[start..<min(questions.count, start + Self.batchDocumentCount)]
            let any = BSONDocument { $0.append("$or", array: batch.map(\.1)) }
            // Hardly ever is there one, and then it is found out which.
            guard try await isThere(any, index) else { continue }
            for (id, question) in batch where try await isThere(question, index) {
                found.append(id)
            }
        }
        return found
    }

    private func isThere(_ question: BSONDocument, _ index: Index) async throws -> Bool {
        let command = BSONDocument {
            $0.append("find", namespace.collection)
            $0.append(
                "filter",
                index.filter.map { filter in
                    BSONDocument { $0.append("$and", array: [question, filter.document]) }
                } ?? question)
            $0.append("projection", BSONDocument { $0.append("_id", Int32(1)) })
            $0.append("collation", index.collation)
            $0.append("limit", Int32(1))
            $0.append("singleBatch", true)
        }
        return try await pool.withConnection { connection in
            try await connection.withCursor(command, on: namespace.database, as: .primary) {
                cursor in
                try await cursor.nextBatch()?.documents().isEmpty == false
            }
        }
    }

    /// What another document must have to have the same key; nil for one that is not indexed, or of
    /// whose keys nothing can be said.
    private static func keys(
        of document: BSONDocument, _ index: Index, _ isExact: inout Bool
    ) throws -> BSONDocument? {
        var conditions: [BSONDocument] = []
        var isPresent = false
        for field in index.fields {
            let path = field.split(
                separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
            var found = Values()
            try found.collect(at: path, in: document)
            // Keys of several fields belong together where they come from one array.
            let isAlone = index.fields.count == 1 || found.values.count <= 1
            guard found.isExact, isAlone else {
                isExact = false
                return nil
            }
            isPresent = isPresent || !found.values.isEmpty
            let null = BSONValue(type: .null, bytes: [])
            let wanted = found.values.isEmpty ? [null] : found.values
            let among = BSONDocument { $0.append("$in", array: wanted) }
            conditions.append(
                BSONDocument { $0.append(String(decoding: field, as: UTF8.self), among) })
        }
        guard isPresent || !index.isSparse else { return nil }
        return BSONDocument { $0.append("$and", array: conditions) }
    }

    /// The values that a path leads to: those of an array are each one, and documents in an array
    /// are each looked into.
    private struct Values {
        private(set) var values: [BSONValue] = []
        /// False where servers have keys that are not values of the document: of empty arrays, of
        /// members without the field, of positions in arrays; and for regular expressions, which
        /// can't be asked for.
        private(set) var isExact = true

        mutating func collect(at path: [ArraySlice<UInt8>], in document: BSONDocument) throws {
            guard let name = path.first else { return }
            let element = try document.elements().first { $0.nameBytes.elementsEqual(name) }
            guard let value = element?.value else { return }
            let rest = Array(path.dropFirst())
            guard let members = try value.array() else {
                guard !rest.isEmpty else { return add(value) }
                if let inner = value.document { try collect(at: rest, in: inner) }
                return
            }
            let isPosition = rest.first.map { $0.allSatisfy { (0x30...0x39).contains($0) } }
            guard !members.isEmpty, isPosition != true else {
                isExact = false
                return
            }
            guard !rest.isEmpty else {
                for member in members { add(member) }
                return
            }
            for member in members {
                let count = values.count
                if let inner = member.document, member.type == .document {
                    try collect(at: rest, in: inner)
                }
                if values.count == count { isExact = false }
            }
        }

        private mutating func add(_ value: BSONValue) {
            if value.type == .regularExpression {
                isExact = false
            } else {
                values.append(value)
            }
        }
    }
}
