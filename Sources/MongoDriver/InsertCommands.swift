import BSONBytes

/// Makes `insert` commands of a run of documents. A document is copied once, into the command; its
/// inside is never looked at.
struct InsertCommands {
    /// Bytes of the largest command that a server takes: a largest document and 16 KiB around it.
    static let commandByteCountMax = BSONLimits.documentByteCountMax + 16 * 1024
    /// Bytes that libmongoc may add (`$db`, `lsid`, `$clusterTime`, `$readPreference`, concerns).
    /// What is left of the 16 KiB always holds our own fields, for names end at 255 bytes.
    static let reservedByteCount = 8 * 1024

    private var batches: DocumentBatches
    private let head: [UInt8]
    /// How many documents the commands so far hold.
    private(set) var documentCount = 0

    /// - Parameter documents: whole documents, one after another.
    init(_ documents: ArraySlice<UInt8>, into collection: String, _ options: InsertOptions) {
        let fields = BSONDocument { builder in
            builder.append("insert", collection)
            options.append(to: &builder)
        }
        head = fields.bytes.dropLast()
        batches = DocumentBatches(
            documents, documentCountMax: options.documentCountMax,
            byteCountMax: Self.commandByteCountMax - Self.reservedByteCount - head.count - 64)
    }

    /// The next command's bytes, or nil when all documents are in one.
    ///
    /// - Parameter transactionNumber: by which the server recognizes a repetition; nil for none.
    /// - Throws: `BSONError` when the run is not made of whole documents.
    mutating func next(transactionNumber: Int64? = nil) throws(BSONError) -> [UInt8]? {
        guard let batch = try batches.next() else { return nil }
        let wrapping = batch.lengths.count * DocumentBatches.wrappingByteCountMax + 64
        var command: [UInt8] = []
        command.reserveCapacity(head.count + batch.documents.count + wrapping)
        command += head
        if let transactionNumber {
            let field = BSONDocument { $0.append("txnNumber", transactionNumber) }
            command += field.bytes.dropFirst(4).dropLast()
        }
        command += [BSONType.array.rawValue] + Array("documents".utf8) + [0]
        let arrayStart = command.count
        command += [0, 0, 0, 0]
        var position = batch.documents.startIndex
        for (index, length) in batch.lengths.enumerated() {
            command.append(BSONType.document.rawValue)
            command.append(contentsOf: String(index).utf8)
            command.append(0)
            command.append(contentsOf: batch.documents[position..<position + length])
            position += length
        }
        command += [0, 0]
        Self.store(command.count - 1 - arrayStart, in: &command, at: arrayStart)
        Self.store(command.count, in: &command, at: 0)
        documentCount += batch.lengths.count
        return command
    }

    private static func store(_ length: Int, in bytes: inout [UInt8], at offset: Int) {
        withUnsafeBytes(of: Int32(length).littleEndian) {
            bytes.replaceSubrange(offset..<offset + 4, with: $0)
        }
    }
}

extension InsertOptions {
    /// Adds the fields of an `insert` command that say so.
    func append(to builder: inout BSONBuilder) {
        builder.append("ordered", isOrdered)
        if bypassDocumentValidation { builder.append("bypassDocumentValidation", true) }
        if bypassEmptyTimestampReplacement { builder.append("bypassEmptyTsReplacement", true) }
        if let writeConcern { builder.append("writeConcern", writeConcern) }
    }
}
