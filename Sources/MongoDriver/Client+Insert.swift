import BSONBytes
import CMongoC

extension Client {
    /// Inserts documents by a message that carries them beside its command, not within it. A server
    /// takes that a tenth faster: it need not look through one large document for the many small
    /// ones.
    ///
    /// Documents are sent as they are, but for an `_id` that libmongoc puts in front where there is
    /// none, as a server would.
    /// - Returns: how many were inserted and which were refused; else why no answer came, or a
    ///   write concern's error.
    func insertMany(
        _ batch: DocumentBatches.Batch, into collection: String, on database: String,
        _ options: InsertOptions
    ) -> Result<WriteResult, MongoError> {
        var context: String { "insert on \(database).\(collection)" }
        let fields = BSONDocument {
            options.append(to: &$0)
            $0.append("validate", false)
        }
        var reply = Reply()
        var failure = bson_error_t()
        let isDone = fields.bytes.withUnsafeBytes { fields in
            withBorrowedDocument(fields) { options in
                batch.withBorrowedDocuments { documents in
                    repeatingSelection(&reply, &failure) { reply, failure in
                        insert(documents, into: collection, on: database, options, reply, &failure)
                    }
                }
            }
        }
        do throws(MongoError) {
            let answer = try reply.document()
            if let error = try answer.documents(in: "writeConcernErrors").first {
                throw MongoError(writeConcernError: error, context: context, server: redactedURI)
            }
            let result = try WriteResult(bulk: answer)
            guard isDone == true || !result.errors.isEmpty else {
                throw lossOrError(
                    failure, reply: answer, context: context, server: redactedURI)
            }
            return .success(result)
        } catch {
            return .failure(error)
        }
    }

    private func insert(
        _ documents: UnsafeMutableBufferPointer<OpaquePointer?>, into collection: String,
        on database: String, _ options: OpaquePointer, _ reply: Reply, _ failure: inout bson_error_t
    ) -> Bool {
        let target = mongoc_client_get_collection(pointer, database, collection)
        defer { mongoc_collection_destroy(target) }
        return mongoc_collection_insert_many(
            target, documents.baseAddress, documents.count, options, reply.pointer, &failure)
    }
}

extension DocumentBatches.Batch {
    /// Calls `body` with a `bson_t` for each document, without copying any.
    fileprivate func withBorrowedDocuments<Result>(
        _ body: (UnsafeMutableBufferPointer<OpaquePointer?>) -> Result
    ) -> Result {
        let size = LibraryStruct.byteCount
        let storage = UnsafeMutableRawPointer.allocate(
            byteCount: lengths.count * size, alignment: size)
        defer { storage.deallocate() }
        return documents.withUnsafeBytes { bytes in
            let start = bytes.bindMemory(to: UInt8.self).baseAddress
            var pointers: [OpaquePointer?] = []
            pointers.reserveCapacity(lengths.count)
            var offset = 0
            for (index, length) in lengths.enumerated() {
                let document = OpaquePointer(storage + index * size)
                // The batch was cut by the documents' own lengths and terminators.
                let isDocument = bson_init_static(document, start.map { $0 + offset }, length)
                precondition(isDocument, "a batch holds whole documents")
                pointers.append(document)
                offset += length
            }
            return pointers.withUnsafeMutableBufferPointer { body($0) }
        }
    }
}

extension WriteResult {
    /// Reads what libmongoc says of a bulk insert.
    fileprivate init(bulk reply: BSONDocument) throws(MongoError) {
        documentCount = try reply.field("insertedCount", \.wholeNumber) ?? 0
        for error in try reply.documents(in: "writeErrors") {
            errors.append(try WriteError(error, indexOffset: 0))
        }
    }
}
