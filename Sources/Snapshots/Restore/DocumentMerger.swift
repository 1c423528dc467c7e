internal import ArchiveFormat
internal import BSONBytes
internal import MongoDriver

/// Makes documents of a live collection equal to given ones: inserts what is missing, overwrites
/// or keeps what differs, leaves alone what is equal. One query for the whole batch, never one a
/// document.
struct DocumentMerger: Sendable {
    /// Bytes of documents in one update command; a single document may be larger.
    private static let updateByteCountMax = 8 * 1024 * 1024

    /// Documents that are compared with the live ones at once; their `_id`s must fit in one
    /// command.
    private static let batchDocumentCount = 1000
    private static let batchByteCount = 8 * 1024 * 1024

    let context: RestoreContext
    let namespace: Namespace
    var conflictRule = Restore.ConflictRule.overwrite
    /// Whether the collection's validator is passed by.
    let bypassesValidation: Bool

    /// Merges any number of documents with different `_id`s.
    func merge(run documents: [ArraySlice<UInt8>]) async throws -> LoadOutcome {
        var outcome = LoadOutcome()
        var batch: [ArraySlice<UInt8>] = []
        var byteCount = 0
        for document in documents {
            if batch.count == Self.batchDocumentCount
                || !batch.isEmpty && byteCount + document.count > Self.batchByteCount
            {
                outcome.add(try await merge(batch))
                (batch, byteCount) = ([], 0)
            }
            batch.append(document)
            byteCount += document.count
        }
        outcome.add(try await merge(batch))
        return outcome
    }

    /// Merges documents with different `_id`s, as many as one command takes.
    ///
    /// - Parameter added: takes note of the documents that are inserted.
    func merge(
        _ documents: [ArraySlice<UInt8>], noting added: AddedDocuments? = nil
    ) async throws -> LoadOutcome {
        guard !documents.isEmpty else { return LoadOutcome() }
        return try await context.endurance.run { _ in
            try await context.pool.withConnection { connection in
                try await merge(candidates(documents), added, connection)
            }
        }
    }

    /// Finds out, by commands that fit no document, whether the user may overwrite and delete: to
    /// be called before the first insert, which would be left behind by a refusal.
    ///
    /// - Throws: `MongoError` with `unauthorized`.
    func tryWriting() async throws {
        let nothing = BSONDocument {
            $0.append("_id", BSONDocument { $0.append("$in", array: [BSONValue]()) })
        }
        let update = BSONDocument {
            $0.append("update", namespace.collection)
            let statement = BSONDocument {
                $0.append("q", nothing)
                $0.append("u", BSONDocument { $0.append("_id", Int32(0)) })
            }
            $0.append("updates", array: [statement])
        }
        let delete = BSONDocument {
            $0.append("delete", namespace.collection)
            let statement = BSONDocument {
                $0.append("q", nothing)
                $0.append("limit", Int32(1))
            }
            $0.append("deletes", array: [statement])
        }
        try await context.endurance.run { _ in
            try await context.pool.withConnection { connection in
                for command in [update, delete] {
                    do {
                        _ = try await connection.write(command, on: namespace.database)
                    } catch let error as MongoError where error.code == .command {
                        // Allowed, and not possible in this way, as with a shard key.
                        continue
                    }
                }
            }
        }
    }

    /// A document of the archive and its `_id`.
    private struct Candidate {
        let bytes: ArraySlice<UInt8>
        let id: BSONValue

        init(_ bytes: ArraySlice<UInt8>) throws {
            self.bytes = bytes
            guard let id = try DocumentRun.identifier(bytes) else {
                throw WithoutID()
            }
            self.id = id
        }
    }

    private struct WithoutID: Error {}

    /// Reads the `_id`s of documents.
    ///
    /// - Throws: `refused` for one without.
    private func candidates(_ documents: [ArraySlice<UInt8>]) throws -> [Candidate] {
        do {
            return try documents.map(Candidate.init)
        } catch is WithoutID {
            throw SnapshotError(
                .refused,
                "a document of \(name) has no _id, so it can't be merged; restore with "
                    + "--mode replace")
        }
    }

    /// The collection as users know it.
    private var name: String { UserNames.inText(namespace.description) }

    private func merge(
        _ candidates: [Candidate], _ added: AddedDocuments?, _ connection: MongoConnection
    ) async throws -> LoadOutcome {
        let live = try await compare(candidates, connection)
        var outcome = LoadOutcome()
        var missing: [Candidate] = []
        var differing: [Candidate] = []
        for candidate in candidates {
            switch live[candidate.id] {
            case nil: missing.append(candidate)
            case true?: outcome.equalCount += 1
            case false? where conflictRule == .keep: outcome.keptCount += 1
            case false?: differing.append(candidate)
            }
        }
        // Before: of an insert that fails nobody knows what it did.
        added?.note(missing.map(\.id))
        outcome.add(try await insert(missing, connection))
        outcome.add(try await overwrite(differing, connection))
        return outcome
    }

    /// Which documents are live under the bytes of their `_id`, and whether they are equal. None of
    /// them is kept.
    private func compare(
        _ candidates: [Candidate], _ connection: MongoConnection
    ) async throws -> [BSONValue: Bool] {
        let own = Dictionary(
            candidates.map { ($0.id, $0.bytes) }, uniquingKeysWith: { first, _ in first })
        var found: [BSONValue: Bool] = [:]
        try await find(candidates.map(\.id), connection) { document in
            guard let id = try DocumentRun.identifier(document) else { return }
            found[id] = own[id].map { bytes in
                bytes.withUnsafeBytes { $0.elementsEqual(document) }
            }
        }
        return found
    }

    /// The live document with that `_id`, or one that is equal by value or collation.
    private func live(_ id: BSONValue, _ connection: MongoConnection) async throws -> [UInt8]? {
        var found: [UInt8]?
        try await find([id], connection) { found = Array($0) }
        return found
    }

    /// Calls `body` with live documents.
    private func find(
        _ ids: [BSONValue], _ connection: MongoConnection,
        _ body: (UnsafeRawBufferPointer) throws -> Void
    ) async throws {
        let command = BSONDocument {
            $0.append("find", namespace.collection)
            $0.append(
                "filter",
                BSONDocument {
                    $0.append("_id", BSONDocument { $0.append("$in", array: ids) })
                })
            $0.append("batchSize", FindRequest.batchDocumentCountMax)
        }
        try await connection.withCursor(command, on: namespace.database, as: .primary) { cursor in
            while let batch = try await cursor.nextBatch() { try batch.forEachDocument(body) }
        }
    }

    private func insert(
        _ candidates: [Candidate], _ connection: MongoConnection
    ) async throws -> LoadOutcome {
        guard !candidates.isEmpty else { return LoadOutcome() }
        let joined = Self.joined(candidates.map(\.bytes))
        // Unordered also for capped collections: the documents of one call go in as they come,
        // refused ones aside.
        let result = try await inserter.insert(joined, connection)
        var outcome = LoadOutcome()
        outcome.insertedCount = UInt64(result.documentCount)
        for error in result.errors {
            let candidate = candidates[error.index]
            // Equal to a live _id by value or collation, though not by its bytes.
            if error.code == .duplicateKey, try await isLive(candidate.id, connection) {
                outcome.add(try await settle(candidate, connection))
            } else {
                outcome.failedCount += 1
                outcome.firstFailure = outcome.firstFailure ?? "\(name): \(error)"
            }
        }
        return outcome
    }

    /// One document behind another; a single one is not copied.
    private static func joined(_ documents: [ArraySlice<UInt8>]) -> ArraySlice<UInt8> {
        if documents.count == 1 { return documents[0] }
        var joined: [UInt8] = []
        joined.reserveCapacity(documents.reduce(0) { $0 + $1.count })
        for document in documents { joined += document }
        return joined[...]
    }

    /// A document whose `_id` is a live one's after all.
    private func settle(
        _ candidate: Candidate, _ connection: MongoConnection
    ) async throws -> LoadOutcome {
        guard conflictRule == .keep else { return try await replaceWhole(candidate, connection) }
        var outcome = LoadOutcome()
        outcome.keptCount = 1
        return outcome
    }

    private func overwrite(
        _ candidates: [Candidate], _ connection: MongoConnection
    ) async throws -> LoadOutcome {
        guard !candidates.isEmpty else { return LoadOutcome() }
        var outcome = LoadOutcome()
        var plain: [Candidate] = []
        for candidate in candidates {
            let needsCare =
                try DocumentRun.hasDollarName(candidate.bytes)
                || DocumentRun.hasEmptyTimestamp(candidate.bytes)
            if needsCare {
                outcome.add(try await replaceWhole(candidate, connection))
            } else {
                plain.append(candidate)
            }
        }
        outcome.add(try await replace(plain, connection))
        try await recheck(candidates, &outcome, connection)
        return outcome
    }

    /// Documents by replacement updates: each atomic, and exact unless it has what `overwrite`
    /// looks for.
    private func replace(
        _ candidates: [Candidate], _ connection: MongoConnection
    ) async throws -> LoadOutcome {
        var outcome = LoadOutcome()
        var waiting = candidates[...]
        while !waiting.isEmpty {
            var statements: [BSONDocument] = []
            var byteCount = 0
            while let candidate = waiting.first,
                statements.isEmpty
                    || byteCount + candidate.bytes.count <= Self.updateByteCountMax
            {
                waiting.removeFirst()
                byteCount += candidate.bytes.count
                let document = BSONValue(type: .document, bytes: candidate.bytes)
                statements.append(
                    BSONDocument {
                        $0.append("q", Self.filter(candidate.id))
                        $0.append("u", document)
                        $0.append("upsert", true)
                    })
            }
            let command = BSONDocument {
                $0.append("update", namespace.collection)
                $0.append("ordered", false)
                if bypassesValidation { $0.append("bypassDocumentValidation", true) }
                // The restore waits for a majority once, at its end.
                $0.append("writeConcern", BSONDocument { $0.append("w", Int32(1)) })
                $0.append("updates", array: statements)
            }
            try await context.pacer.willWrite(bytes: byteCount, documents: statements.count) {
                try await connection.serverPressure()
            }
            let result = try await connection.write(command, on: namespace.database)
            outcome.add(self.outcome(of: result, statementCount: statements.count))
        }
        return outcome
    }

    /// One document by removing the live one and storing the other: for what no update stores
    /// exactly. A cancellation waits until both is done.
    private func replaceWhole(
        _ candidate: Candidate, _ connection: MongoConnection
    ) async throws -> LoadOutcome {
        try Task.checkCancellation()
        return try await uncancelled {
            try await connection.uninterrupted { try await exchange(candidate, connection) }
        }
    }

    private func exchange(
        _ candidate: Candidate, _ connection: MongoConnection
    ) async throws -> LoadOutcome {
        let old = try await live(candidate.id, connection)
        let statement = BSONDocument {
            $0.append("q", Self.filter(candidate.id))
            $0.append("limit", Int32(1))
        }
        let command = BSONDocument {
            $0.append("delete", namespace.collection)
            $0.append("deletes", array: [statement])
        }
        try await context.pacer.willWrite(bytes: candidate.bytes.count, documents: 1) {
            try await connection.serverPressure()
        }
        let removed = try await connection.write(command, on: namespace.database)
        guard removed.errors.isEmpty else { return outcome(of: removed, statementCount: 1) }
        var inserter = inserter
        // The document is missing until then.
        inserter.isPaced = false
        do {
            let stored = try await inserter.insert(candidate.bytes, connection)
            guard let refusal = stored.errors.first else {
                return outcome(of: stored, statementCount: 1)
            }
            throw refusal
        } catch {
            // Back with the old one: nothing is lost because something else could not be stored.
            if let old { _ = try await inserter.insert(old[...], connection) }
            guard let refusal = error as? WriteError else { throw error }
            return outcome(of: refusal)
        }
    }

    private var inserter: ExactInserter {
        ExactInserter(
            context: context, namespace: namespace, isOrdered: false,
            bypassesValidation: bypassesValidation)
    }

    private func isLive(_ id: BSONValue, _ connection: MongoConnection) async throws -> Bool {
        var isFound = false
        try await find([id], connection) { _ in isFound = true }
        return isFound
    }

    /// What was overwritten must now be there byte for byte.
    private func recheck(
        _ candidates: [Candidate], _ outcome: inout LoadOutcome, _ connection: MongoConnection
    ) async throws {
        let live = try await compare(candidates, connection)
        let differing = candidates.count { live[$0.id] != true }
        let unexplained = UInt64(differing) &- outcome.failedCount
        guard differing > Int(outcome.failedCount) else { return }
        outcome.failedCount += unexplained
        outcome.overwrittenCount -= min(outcome.overwrittenCount, unexplained)
        outcome.firstFailure =
            outcome.firstFailure ?? "\(name): the server stored other bytes than it was given"
    }

    private func outcome(of result: WriteResult, statementCount: Int) -> LoadOutcome {
        var outcome = LoadOutcome()
        outcome.failedCount = UInt64(result.errors.count)
        outcome.firstFailure = result.errors.first.map { "\(name): \($0)" }
        outcome.overwrittenCount = UInt64(statementCount - result.errors.count)
        return outcome
    }

    private func outcome(of refusal: WriteError) -> LoadOutcome {
        var outcome = LoadOutcome()
        outcome.failedCount = 1
        outcome.firstFailure = "\(name): \(refusal)"
        return outcome
    }

    private static func filter(_ id: BSONValue) -> BSONDocument {
        BSONDocument { $0.append("_id", BSONDocument { $0.append("$eq", id) }) }
    }
}
