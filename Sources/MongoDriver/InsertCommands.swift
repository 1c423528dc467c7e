import BSONBytes

/// Cuts a run of documents into `insert` commands. A document is copied once, into the command; its
/// inside is never looked at.
struct InsertCommands {
    /// Bytes of the largest command that a server takes: a largest document and 16 KiB around it.
    static let commandByteCountMax = BSONLimits.documentByteCountMax + 16 * 1024
    /// Bytes that libmongoc may add (`$db`, `lsid`, `$clusterTime`, `$readPreference`, concerns).
    /// What is left of the 16 KiB always holds our own fields, for names end at 255 bytes.
    static let reservedByteCount = 8 * 1024

    private let documents: ArraySlice<UInt8>
    private let head: [UInt8]
    private let documentCountMax: Int
    private var offset = 0
    /// How many documents the commands so far hold.
    private(set) var documentCount = 0

    /// - Parameter documents: whole documents, one after another.
    init(_ documents: ArraySlice<UInt8>, into collection: String, _ options: InsertOptions) {
        self.documents = documents
        documentCountMax = min(max(options.documentCountMax, 1), InsertOptions.documentCountLimit)
        let fields = BSONDocument { builder in
            builder.append("insert", collection)
            builder.append("ordered", options.isOrdered)
            if options.bypassDocumentValidation {
                builder.append("bypassDocumentValidation", true)
            }
            if options.bypassEmptyTimestampReplacement {
                builder.append("bypassEmptyTsReplacement", true)
            }
            if let concern = options.writeConcern { builder.append("writeConcern", concern) }
        }
        head = fields.bytes.dropLast()
    }

    /// The next command's bytes, or nil when all documents are in one.
    ///
    /// - Parameter transactionNumber: by which the server recognizes a repetition; nil for none.
    /// - Throws: `BSONError` when the run is not made of whole documents.
    mutating func next(transactionNumber: Int64? = nil) throws(BSONError) -> [UInt8]? {
        let lengths = try nextLengths()
        guard !lengths.isEmpty else { return nil }
        let keyByteCountMax = 6
        let wrapping = lengths.count * (keyByteCountMax + 2) + 64
        var command: [UInt8] = []
        command.reserveCapacity(head.count + lengths.reduce(0, +) + wrapping)
        command += head
        if let transactionNumber {
            let field = BSONDocument { $0.append("txnNumber", transactionNumber) }
            command += field.bytes.dropFirst(4).dropLast()
        }
        command += [BSONType.array.rawValue] + Array("documents".utf8) + [0]
        let arrayStart = command.count
        command += [0, 0, 0, 0]
        var position = documents.startIndex + offset
        for (index, length) in lengths.enumerated() {
            command.append(BSONType.document.rawValue)
            command.append(contentsOf: String(index).utf8)
            command.append(0)
            command.append(contentsOf: documents[position..<position + length])
            position += length
        }
        command += [0, 0]
        Self.store(command.count - 1 - arrayStart, in: &command, at: arrayStart)
        Self.store(command.count, in: &command, at: 0)
        offset = position - documents.startIndex
        documentCount += lengths.count
        return command
    }

    /// Lengths of the documents that the next command takes.
    private func nextLengths() throws(BSONError) -> [Int] {
        let outcome: Result<[Int], BSONError> = documents.withUnsafeBytes { bytes in
            var lengths: [Int] = []
            var position = offset
            var byteCount = head.count + 64
            do throws(BSONError) {
                while position < bytes.count, lengths.count < documentCountMax {
                    let length = try BSONFraming.documentByteCount(in: bytes, at: position)
                    byteCount += length + 2 + String(lengths.count).utf8.count
                    let limit = Self.commandByteCountMax - Self.reservedByteCount
                    guard byteCount <= limit || lengths.isEmpty else { break }
                    lengths.append(length)
                    position += length
                }
                return .success(lengths)
            } catch { return .failure(error) }
        }
        return try outcome.get()
    }

    private static func store(_ length: Int, in bytes: inout [UInt8], at offset: Int) {
        withUnsafeBytes(of: Int32(length).littleEndian) {
            bytes.replaceSubrange(offset..<offset + 4, with: $0)
        }
    }
}
