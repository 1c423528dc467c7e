public import BSONBytes

/// What a server says it wrote.
public struct WriteResult: Hashable, Sendable {
    /// Documents inserted, or matched by updates and deletes.
    public var documentCount = 0
    /// Documents that an update changed.
    public var modifiedCount = 0
    /// Documents that were not written, and why; by index.
    public var errors: [WriteError] = []

    /// Nothing written, nothing refused.
    public init() {}

    /// Reads a reply to `insert`, `update` or `delete`.
    ///
    /// - Parameter indexOffset: index of the command's first document among all.
    init(_ reply: BSONDocument, indexOffset: Int = 0) throws(MongoError) {
        documentCount = try reply.requiredField("n", \.wholeNumber)
        modifiedCount = try reply.field("nModified", \.wholeNumber) ?? 0
        for error in try reply.documents(in: "writeErrors") {
            errors.append(try WriteError(error, indexOffset: indexOffset))
        }
    }

    /// The same as part of a longer run of documents, `count` of which come before.
    func shifted(by count: Int) -> WriteResult {
        var shifted = self
        shifted.errors = errors.map { $0.shifted(by: count) }
        return shifted
    }

    /// Takes documents that were there already for inserted: an earlier try of the same had done
    /// it.
    mutating func countDuplicatesAsInserted() {
        let others = errors.filter { $0.code != .duplicateKey }
        documentCount += errors.count - others.count
        errors = others
    }

    /// Adds what another command wrote.
    mutating func add(_ other: WriteResult) {
        documentCount += other.documentCount
        modifiedCount += other.modifiedCount
        errors += other.errors
    }
}

/// Why one document or statement was not written.
public struct WriteError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What a server says of a document that a collection's validator refuses.
    public static let validationFailed = 121

    /// Which one it is, counted from zero over the whole call.
    public private(set) var index: Int
    /// What kind of failure it is.
    public let code: MongoError.Code
    /// The server's number for it.
    public let serverCode: Int
    /// The server's words, without the key of a duplicate.
    public let message: String

    init(_ error: BSONDocument, indexOffset: Int) throws(MongoError) {
        index = indexOffset + (try error.requiredField("index", \.wholeNumber))
        serverCode = try error.requiredField("code", \.wholeNumber)
        code = MongoError.Code(serverCode: serverCode)
        message = MongoError.withoutDocuments(try error.field("errmsg", \.string) ?? "no reason")
    }

    /// The same error in a longer run of documents, `count` of which come before.
    public func shifted(by count: Int) -> WriteError {
        var shifted = self
        shifted.index += count
        return shifted
    }

    /// One line: which one and why.
    public var description: String { "document \(index): \(message) (code \(serverCode))" }
}

/// How documents are inserted.
public struct InsertOptions: Sendable {
    /// Stop at the first document that cannot be written.
    public var isOrdered = true
    /// Write also what the collection's validator would refuse.
    public var bypassDocumentValidation = false
    /// Keep an empty timestamp as it is; without this a server puts the current time there. Only
    /// servers that know the option may be sent it (8.1, and late patches of 5.0 to 8.0).
    public var bypassEmptyTimestampReplacement = false
    /// Nobody else writes to the collection, so a document that is found there when an insert is
    /// repeated is one that the first try had put there. Such inserts need no transaction number,
    /// by which a server recognizes a repetition and which costs it a tenth of its time. For
    /// unordered inserts only; others are numbered all the same.
    public var ownsCollection = false
    /// Such as `{w: "majority"}`; nil takes the connection string's.
    public var writeConcern: BSONDocument?
    /// Documents per command, at least one, at most `InsertOptions.documentCountLimit`.
    public var documentCountMax = 1000

    /// What every server since 3.6 states as its `maxWriteBatchSize`.
    public static let documentCountLimit = 100_000

    /// A server's own defaults.
    public init() {}
}
