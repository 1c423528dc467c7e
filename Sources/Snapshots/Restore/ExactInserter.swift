internal import ArchiveFormat
internal import BSONBytes
internal import Glibc
internal import MongoDriver

/// Stores documents byte for byte in a place where none of them is yet.
///
/// Plain inserts do, but for one value: servers before 5.0.29, 6.0.17, 7.0.13 and 8.0 replace
/// `Timestamp(0,0)` in the top level of what is inserted by the time, and can't be told not to.
/// There such documents are stored by an update with the pipeline `[{$replaceWith: {$literal:
/// document}}]` and `upsert`, which stores exactly what it is given. (Never over an existing
/// document: computing the difference to one with duplicate names has crashed servers.)
struct ExactInserter: Sendable {
    /// Bytes of documents in one update command; a single document may be larger.
    private static let updateByteCountMax = 8 * 1024 * 1024

    let context: RestoreContext
    let namespace: Namespace
    let isOrdered: Bool
    /// Whether the collection's validator is passed by, which takes a privilege of its own.
    let bypassesValidation: Bool
    /// Whether nobody else writes to the collection: a staging collection, not a live one.
    var ownsCollection = false
    /// Whether inserts wait until the restore's pacer lets them through.
    var isPaced = true

    /// Inserts whole documents, one after another.
    ///
    /// - Returns: how many were inserted, and which were refused, by their position.
    func insert(_ documents: ArraySlice<UInt8>) async throws -> WriteResult {
        try await context.pool.withConnection { try await insert(documents, $0) }
    }

    /// Inserts documents beside the live data, where nothing is in their way.
    ///
    /// After an outage, of which nobody knows what was done before it, only what is missing is
    /// inserted; where the order is to be kept there is no going on.
    ///
    /// - Parameter duplicates: takes documents whose `_id` is there already; nil where there can be
    ///   none.
    /// - Throws: `refused` at the first document that the server does not take.
    func load(
        _ documents: ArraySlice<UInt8>, of source: Namespace, _ duplicates: LoadedTwice? = nil
    ) async throws -> LoadOutcome {
        guard !isOrdered, duplicates == nil else {
            return try await loadOnce(documents, of: source, duplicates)
        }
        return try await context.endurance.run { isRepetition in
            guard isRepetition else { return try await loadOnce(documents, of: source, nil) }
            let outcome = try await DocumentMerger(
                context: context, namespace: namespace, bypassesValidation: bypassesValidation
            ).merge(run: DocumentRun.split(documents))
            if let reason = outcome.firstFailure { throw SnapshotError(.refused, reason) }
            // What was there already was inserted before the outage.
            var total = LoadOutcome()
            total.insertedCount =
                outcome.insertedCount + outcome.overwrittenCount + outcome.equalCount
            return total
        }
    }

    private func loadOnce(
        _ documents: ArraySlice<UInt8>, of source: Namespace, _ duplicates: LoadedTwice?
    ) async throws -> LoadOutcome {
        var result = try await insert(documents)
        if let duplicates, !result.errors.isEmpty {
            result = try await duplicates.take(result, of: documents) { try await insert($0) }
        }
        if let failure = result.errors.first {
            throw SnapshotError.refused(failure, of: source)
        }
        var outcome = LoadOutcome()
        outcome.insertedCount = UInt64(result.documentCount)
        return outcome
    }

    /// The same as `insert` on a connection that the caller has.
    func insert(
        _ documents: ArraySlice<UInt8>, _ connection: MongoConnection
    ) async throws -> WriteResult {
        guard
            try !context.server.keepsEmptyTimestamps
                && DocumentRun.containsEmptyTimestamp(documents)
        else { return try await insertPlainly(documents, connection) }
        var result = WriteResult()
        var position = 0
        for run in try runs(of: documents) {
            let part =
                run.hasEmptyTimestamp
                ? try await store(run, connection)
                : try await insertPlainly(run.bytes, connection)
            result.documentCount += part.documentCount
            result.errors += part.errors.map { $0.shifted(by: position) }
            position += run.documents.count
            if isOrdered, !result.errors.isEmpty { break }
        }
        return result
    }

    /// Neighbouring documents that are stored in the same way.
    private struct Run {
        var bytes: ArraySlice<UInt8>
        var documents: [ArraySlice<UInt8>]
        var hasEmptyTimestamp: Bool
    }

    private func runs(of bytes: ArraySlice<UInt8>) throws -> [Run] {
        var runs: [Run] = []
        for document in try DocumentRun.split(bytes) {
            let isEmpty = try DocumentRun.hasEmptyTimestamp(document)
            if let last = runs.indices.last, runs[last].hasEmptyTimestamp == isEmpty {
                runs[last].documents.append(document)
                runs[last].bytes = bytes[runs[last].bytes.startIndex..<document.endIndex]
            } else {
                runs.append(
                    Run(bytes: document, documents: [document], hasEmptyTimestamp: isEmpty))
            }
        }
        return runs
    }

    private func insertPlainly(
        _ documents: ArraySlice<UInt8>, _ connection: MongoConnection
    ) async throws -> WriteResult {
        var options = InsertOptions()
        options.isOrdered = isOrdered
        options.ownsCollection = ownsCollection
        options.bypassDocumentValidation = bypassesValidation
        options.bypassEmptyTimestampReplacement = context.server.keepsEmptyTimestamps
        options.writeConcern = BSONDocument { $0.append("w", Int32(1)) }
        options.documentCountMax = context.batchDocumentCount
        return try await connection.insert(
            documents, into: namespace.collection, on: namespace.database, options: options
        ) { byteCount, documentCount in
            try await pace(byteCount, documentCount, connection)
        }
    }

    private func store(_ run: Run, _ connection: MongoConnection) async throws -> WriteResult {
        var result = WriteResult()
        var start = 0
        while start < run.documents.count {
            var end = start
            var byteCount = 0
            repeat {
                byteCount += run.documents[end].count
                end += 1
            } while end < run.documents.count && end - start < 1000
                && byteCount + run.documents[end].count <= Self.updateByteCountMax
            let statements = try run.documents[start..<end].map(Self.statement)
            try await pace(byteCount, end - start, connection)
            let part = try await connection.write(
                command(statements), on: namespace.database)
            result.documentCount += part.documentCount
            result.errors += part.errors.map { $0.shifted(by: start) }
            start = end
        }
        return result
    }

    private func pace(
        _ byteCount: Int, _ documentCount: Int, _ connection: MongoConnection
    ) async throws {
        guard isPaced else { return }
        try await context.pacer.willWrite(bytes: byteCount, documents: documentCount) {
            try await connection.serverPressure()
        }
    }

    private func command(_ statements: [BSONDocument]) -> BSONDocument {
        BSONDocument {
            $0.append("update", namespace.collection)
            $0.append("ordered", isOrdered)
            if bypassesValidation { $0.append("bypassDocumentValidation", true) }
            $0.append("writeConcern", BSONDocument { $0.append("w", Int32(1)) })
            $0.append("updates", array: statements)
        }
    }

    private static func statement(_ bytes: ArraySlice<UInt8>) throws -> BSONDocument {
        let document = BSONValue(type: .document, bytes: bytes)
        guard let id = try DocumentRun.identifier(bytes) else {
            throw SnapshotError(.refused, "a document has no _id")
        }
        return BSONDocument {
            $0.append("q", BSONDocument { $0.append("_id", BSONDocument { $0.append("$eq", id) }) })
            let stage = BSONDocument {
                $0.append("$replaceWith", BSONDocument { $0.append("$literal", document) })
            }
            $0.append("u", array: [stage])
            $0.append("upsert", true)
        }
    }
}

extension SnapshotError {
    /// The server does not take a document of the archive.
    static func refused(_ failure: WriteError, of source: Namespace) -> SnapshotError {
        let isValidators = failure.serverCode == WriteError.validationFailed
        return SnapshotError(
            .refused,
            "the server refused a document of \(source): \(failure)"
                + (isValidators
                    ? "; a user with the role dbAdmin may write past the collection's validator"
                    : ""))
    }
}

extension ServerInfo {
    /// Whether inserts can be told to leave `Timestamp(0,0)` alone.
    var keepsEmptyTimestamps: Bool {
        let firstOfBranch: [Int: Version] = [
            5: Version(5, 0, 29), 6: Version(6, 0, 17), 7: Version(7, 0, 13),
        ]
        guard let first = firstOfBranch[version.major] else { return version.major >= 8 }
        return !(version < first)
    }
}
