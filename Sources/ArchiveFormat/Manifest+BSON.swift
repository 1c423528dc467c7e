public import BSONBytes

extension Manifest {
    /// The manifest as it stands in the index.
    public var document: BSONDocument {
        BSONDocument {
            $0.append("format_version", Int32(Self.formatVersion))
            $0.append("id", id)
            $0.append("tool", tool)
            $0.append("started_at", dateMilliseconds: startedAt)
            $0.append("finished_at", dateMilliseconds: finishedAt)
            if let description { $0.append("description", description) }
            $0.append("source", source.document)
            $0.append("consistency", consistency.document)
            $0.append("selection", selection.document)
            $0.append("codec", compression.codec.name)
            $0.append("level", Int32(compression.level))
            $0.append("chunk_target_bytes", Int64(chunkTargetByteCount))
            $0.append("documents", Int64(documentCount))
            $0.append("document_bytes", Int64(documentByteCount))
            if let loss { $0.append("loss", loss.document) }
            $0.append("namespaces", array: namespaces.map(\.document))
        }
    }

    /// Reads a manifest from its bytes.
    ///
    /// - Throws: what `init(_:)` throws, and `malformed` when the bytes are no document.
    init(bytes: [UInt8]) throws(ArchiveError) {
        let framed: BSONDocument
        do throws(BSONError) {
            framed = try BSONDocument(
                validating: bytes, limit: ArchiveLimits.manifestByteCountMax)
        } catch {
            throw ArchiveError(.malformed, "the manifest is damaged: \(error)")
        }
        try self.init(framed)
    }

    /// Reads a manifest.
    ///
    /// - Throws: `unsupportedVersion`, `malformed` for missing fields.
    public init(_ document: BSONDocument) throws(ArchiveError) {
        do {
            let version = try document.require("format_version", \.wholeNumber)
            guard version == Self.formatVersion else {
                throw ArchiveError(
                    .unsupportedVersion,
                    "manifest version \(version) is unknown; this reader knows version 1")
            }
            guard let codec = Codec(name: try document.require("codec", \.string)) else {
                throw ArchiveError(.unsupportedVersion, "manifest names an unknown codec")
            }
            self.init(
                id: try document.require("id", \.string),
                tool: try document.require("tool", \.string),
                startedAt: try document.require("started_at", \.dateMilliseconds),
                source: try Source(document.require("source", \.document)),
                consistency: try Consistency(document.require("consistency", \.document)),
                selection: try Selection(document.require("selection", \.document)),
                compression: try Compression(
                    codec, level: document.require("level", \.wholeNumber)))
            finishedAt = try document.require("finished_at", \.dateMilliseconds)
            // Beyond, differences of two of them may be more than a number holds.
            guard ArchiveLimits.dates.contains(startedAt), ArchiveLimits.dates.contains(finishedAt)
            else { throw ArchiveError(.lengthOutOfBounds, "a date of the manifest is impossible") }
            chunkTargetByteCount = try document.require("chunk_target_bytes", \.wholeNumber)
            description = try document.first("description")?.string
            guard description?.utf8.count ?? 0 <= ArchiveLimits.descriptionByteCountMax else {
                throw ArchiveError(.lengthOutOfBounds, "the manifest's description is too long")
            }
            loss = try document.first("loss")?.document.map(Loss.init)
            let entries = try document.require("namespaces") { $0.type == .array ? $0 : nil }
            namespaces = try entries.array()?.compactMap(\.document).map(NamespaceEntry.init) ?? []
            let documentCount = try document.require("documents", \.wholeNumber)
            let documentByteCount = try document.require("document_bytes", \.wholeNumber)
            guard documentCount == Int(clamping: self.documentCount),
                documentByteCount == Int(clamping: self.documentByteCount)
            else {
                throw ArchiveError(.checksumMismatch, "the manifest's totals do not add up")
            }
        } catch let error as ArchiveError {
            throw error
        } catch {
            throw ArchiveError(.malformed, "the manifest is damaged: \(error)")
        }
    }
}

extension Manifest.Source {
    fileprivate var document: BSONDocument {
        BSONDocument {
            $0.append("hosts", array: hosts)
            $0.append("server_version", serverVersion)
            if let replicaSet { $0.append("replica_set", replicaSet) }
        }
    }

    fileprivate init(_ document: BSONDocument) throws {
        self.init(
            hosts: try document.strings("hosts"),
            serverVersion: try document.require("server_version", \.string),
            replicaSet: try document.first("replica_set")?.string)
    }
}

extension Manifest.Consistency {
    fileprivate var document: BSONDocument {
        BSONDocument {
            $0.append("level", name)
            switch self {
            case .snapshot(let time): $0.append("cluster_time", time)
            case .oplog(let start, let end):
                $0.append("oplog_start", start)
                $0.append("oplog_end", end)
            case .none: break
            }
        }
    }

    fileprivate init(_ document: BSONDocument) throws {
        switch try document.require("level", \.string) {
        case "snapshot": self = .snapshot(try document.require("cluster_time", \.timestamp))
        case "oplog":
            self = .oplog(
                from: try document.require("oplog_start", \.timestamp),
                to: try document.require("oplog_end", \.timestamp))
        case "none": self = .none
        case let other:
            throw ArchiveError(.unsupportedVersion, "consistency \"\(other)\" is unknown")
        }
    }
}

extension Manifest.Loss {
    fileprivate var document: BSONDocument {
        BSONDocument {
            $0.append("chunks", Int64(chunkCount))
            if let documentCount { $0.append("documents", Int64(clamping: documentCount)) }
            $0.append("may_be_more", mayBeMore)
        }
    }

    fileprivate init(_ document: BSONDocument) throws {
        let chunkCount = try document.require("chunks", \.wholeNumber)
        guard chunkCount >= 0 else {
            throw ArchiveError(.malformed, "the manifest's count of lost chunks is negative")
        }
        self.init(
            chunkCount: chunkCount,
            documentCount: try document.first("documents")?.wholeNumber
                .map { UInt64(clamping: $0) },
            mayBeMore: try document.require("may_be_more", \.bool))
    }
}

extension Manifest.Selection {
    fileprivate var document: BSONDocument {
        BSONDocument {
            if let database { $0.append("db", database) }
            $0.append("ns_include", array: namespacesIncluded)
            $0.append("ns_exclude", array: namespacesExcluded)
        }
    }

    fileprivate init(_ document: BSONDocument) throws {
        self.init(
            database: try document.first("db")?.string,
            namespacesIncluded: try document.strings("ns_include"),
            namespacesExcluded: try document.strings("ns_exclude"))
    }
}

extension Manifest.NamespaceEntry {
    fileprivate var document: BSONDocument {
        BSONDocument {
            $0.append("db", descriptor.namespace.database)
            $0.append("collection", descriptor.namespace.collection)
            $0.append("type", descriptor.type.rawValue)
            descriptor.appendCatalog(to: &$0)
            $0.append("documents", Int64(totals.documentCount))
            $0.append("bytes", Int64(totals.byteCount))
            $0.append("crc64", Int64(bitPattern: totals.crc64))
            $0.append("fingerprint", binary: totals.fingerprint.bytes, subtype: 0)
            if let chunks {
                $0.append("first_chunk", Int64(chunks.lowerBound))
                $0.append("last_chunk", Int64(chunks.upperBound))
            }
            if let consistency { $0.append("consistency", consistency.document) }
        }
    }

    fileprivate init(_ document: BSONDocument) throws {
        guard
            let type = NamespaceType(rawValue: try document.require("type", \.string)),
            let fingerprint = DocumentFingerprint(
                bytes: try document.require("fingerprint", \.binary).payload)
        else { throw ArchiveError(.malformed, "a namespace of the manifest is damaged") }
        self.init(
            NamespaceDescriptor(
                namespace: Namespace(
                    try document.require("db", \.string),
                    try document.require("collection", \.string)),
                type: type))
        try descriptor.readCatalog(from: document)
        totals.documentCount = UInt64(clamping: try document.require("documents", \.wholeNumber))
        totals.byteCount = UInt64(clamping: try document.require("bytes", \.wholeNumber))
        totals.crc64 = UInt64(bitPattern: try document.require("crc64", \.int64))
        totals.fingerprint = fingerprint
        if let first = try document.first("first_chunk")?.wholeNumber.flatMap(
            UInt32.init(exactly:)),
            let last = try document.first("last_chunk")?.wholeNumber.flatMap(UInt32.init(exactly:)),
            first <= last
        {
            chunks = first...last
        }
        consistency = try document.first("consistency")?.document
            .map(Manifest.Consistency.init)
    }
}

extension BSONDocument {
    fileprivate func strings(_ name: String) throws -> [String] {
        try first(name)?.array()?.compactMap(\.string) ?? []
    }
}
