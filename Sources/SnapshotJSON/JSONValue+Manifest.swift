public import ArchiveFormat
internal import BSONBytes
internal import ExtendedJSON
internal import Snapshots

extension JSONValue {
    /// The instant that a snapshot is of.
    public init(_ consistency: Manifest.Consistency) {
        switch consistency {
        case .none:
            self = .object(["level": .string(consistency.name), "cluster_time": .null])
        case .snapshot(let time):
            self = .object(["level": .string(consistency.name), "cluster_time": Self.time(time)])
        case .oplog(let start, let end):
            self = .object([
                "level": .string(consistency.name), "cluster_time": Self.time(end),
                "oplog_start": Self.time(start), "oplog_end": Self.time(end),
            ])
        }
    }

    /// A cluster time, in the one form that it has everywhere.
    static func time(_ time: BSONTimestamp) -> JSONValue {
        .object([
            "seconds": .count(UInt64(time.seconds)), "increment": .count(UInt64(time.increment)),
        ])
    }

    /// What a salvaged snapshot lacks; null for a whole one.
    public init(_ loss: Manifest.Loss?) {
        guard let loss else {
            self = .null
            return
        }
        self = .object([
            "chunks": .count(loss.chunkCount),
            "documents": .optional(count: loss.documentCount),
            "may_be_more": .bool(loss.mayBeMore),
        ])
    }

    /// A namespace and what an archive holds of it.
    public init(_ entry: Manifest.NamespaceEntry) {
        let descriptor = entry.descriptor
        self = .object([
            "db": .string(descriptor.namespace.database),
            "collection": .string(descriptor.namespace.collection),
            "type": .string(descriptor.type.word),
            "documents": .count(entry.totals.documentCount),
            "bytes": .count(entry.totals.byteCount),
            "crc64": .string(Self.hexadecimal(entry.totals.crc64)),
            "fingerprint": .string(entry.totals.fingerprint.hexadecimal),
            "consistency": entry.consistency.map { JSONValue($0) } ?? .null,
            "indexes": .array(descriptor.indexes.map(Self.indexName)),
            "options": Self.extendedJSON(descriptor.options),
        ])
    }

    /// Sixteen digits.
    private static func hexadecimal(_ number: UInt64) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    private static func indexName(_ index: BSONDocument) -> JSONValue {
        do {
            return .optional(try index.first("name")?.string)
        } catch {
            return .null
        }
    }

    /// Null for options that are not well-formed; a restore will say what is wrong with them.
    private static func extendedJSON(_ document: BSONDocument) -> JSONValue {
        do {
            return .verbatim(try ExtendedJSONWriter(mode: .relaxed).text(of: document))
        } catch {
            return .null
        }
    }
}

extension Manifest {
    /// What the manifest says beyond what is known of any archive.
    var members: [JSONValue.Member] {
        [
            JSONValue.Member("created", .date(startedAt)),
            JSONValue.Member("finished", .date(finishedAt)),
            JSONValue.Member("description", .optional(description)),
            JSONValue.Member("consistency", JSONValue(consistency)),
            JSONValue.Member("loss", JSONValue(loss)),
            JSONValue.Member("codec", .string(compression.codec.name)),
            JSONValue.Member("level", .count(compression.level)),
            JSONValue.Member("chunk_bytes", .count(chunkTargetByteCount)),
            JSONValue.Member(
                "source",
                .object([
                    "hosts": .array(source.hosts.map { .string($0) }),
                    "server_version": .string(source.serverVersion),
                    "replica_set": .optional(source.replicaSet),
                ])),
            JSONValue.Member(
                "selection",
                .object([
                    "db": .optional(selection.database),
                    "ns_include": .array(selection.namespacesIncluded.map { .string($0) }),
                    "ns_exclude": .array(selection.namespacesExcluded.map { .string($0) }),
                ])),
        ]
    }
}

extension NamespaceType {
    /// The type as people and machines read it.
    public var word: String { self == .special ? "special" : rawValue }
}
