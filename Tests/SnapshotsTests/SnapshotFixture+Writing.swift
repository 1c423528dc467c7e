import BSONBytes
import MongoDriver
import Testing

/// Documents of tests in one line each.
func document(_ id: Int32, _ fields: (inout BSONBuilder) -> Void = { _ in }) -> BSONDocument {
    BSONDocument {
        $0.append("_id", id)
        fields(&$0)
    }
}

/// The same with any value for an `_id`.
func document(
    id: BSONValue, _ fields: (inout BSONBuilder) -> Void = { _ in }
) -> BSONDocument {
    BSONDocument {
        $0.append("_id", id)
        fields(&$0)
    }
}

extension BSONValue {
    /// A value as a builder writes it: `.made { $0.append("", 1.0) }`.
    static func made(_ build: (inout BSONBuilder) -> Void) throws -> BSONValue {
        try BSONDocument { build(&$0) }.require("") { $0 }
    }
}

extension [BSONDocument] {
    /// In an order that does not depend on where they were.
    var inByteOrder: [BSONDocument] {
        sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) }
    }
}

extension SnapshotFixture {
    /// Stores documents byte for byte where an insert would put the time in an empty timestamp.
    func storeExactly(_ documents: [BSONDocument], _ collection: String) async throws {
        for document in documents {
            let id = try document.require("_id") { $0 }
            let stage = BSONDocument {
                $0.append("$replaceWith", BSONDocument { $0.append("$literal", document) })
            }
            let statement = BSONDocument {
                $0.append("q", Self.equal(id))
                $0.append("u", array: [stage])
                $0.append("upsert", true)
            }
            try await write("update", "updates", statement, collection)
        }
    }

    /// Replaces the document with that `_id`, validators aside.
    func replace(_ id: BSONValue, by document: BSONDocument, _ collection: String) async throws {
        let statement = BSONDocument {
            $0.append("q", Self.equal(id))
            $0.append("u", document)
        }
        try await write("update", "updates", statement, collection)
    }

    /// Removes the document with that `_id`.
    func delete(_ id: BSONValue, _ collection: String) async throws {
        let statement = BSONDocument {
            $0.append("q", Self.equal(id))
            $0.append("limit", Int32(1))
        }
        try await write("delete", "deletes", statement, collection)
    }

    func dropCollection(_ collection: String) async throws {
        try await pool.withConnection { try await $0.dropCollection(collection, in: database) }
    }

    func createIndex(
        _ name: String, on field: String, of collection: String, unique: Bool = false
    ) async throws {
        let index = BSONDocument {
            $0.append("key", BSONDocument { $0.append(field, Int32(1)) })
            $0.append("name", name)
            if unique { $0.append("unique", true) }
        }
        try await pool.withConnection { connection in
            try await connection.createIndexes([index], of: collection, in: database)
        }
    }

    private static func equal(_ id: BSONValue) -> BSONDocument {
        BSONDocument { $0.append("_id", BSONDocument { $0.append("$eq", id) }) }
    }

    private func write(
        _ command: String, _ list: String, _ statement: BSONDocument, _ collection: String
    ) async throws {
        let document = BSONDocument {
            $0.append(command, collection)
            $0.append("bypassDocumentValidation", true)
            $0.append(list, array: [statement])
        }
        let isDelete = command == "delete"
        let plain = BSONDocument {
            $0.append(command, collection)
            $0.append(list, array: [statement])
        }
        let result = try await pool.withConnection { connection in
            try await connection.write(isDelete ? plain : document, on: database)
        }
        try #require(result.errors.isEmpty, "\(result.errors)")
        try #require(result.documentCount == 1)
    }
}

/// Options that collections of tests are created with.
enum CollectionOptions {
    static let plain = BSONDocument()
    static let capped = BSONDocument {
        $0.append("capped", true)
        $0.append("size", Int64(1 << 20))
    }
    static let clustered = BSONDocument {
        $0.append(
            "clusteredIndex",
            BSONDocument {
                $0.append("key", BSONDocument { $0.append("_id", Int32(1)) })
                $0.append("unique", true)
            })
    }
    static func timeseries(granularity: String = "hours") -> BSONDocument {
        BSONDocument {
            $0.append(
                "timeseries",
                BSONDocument {
                    $0.append("timeField", "at")
                    $0.append("metaField", "station")
                    $0.append("granularity", granularity)
                })
        }
    }
    /// Letters compare whatever their case.
    static let caseInsensitive = BSONDocument {
        $0.append(
            "collation",
            BSONDocument {
                $0.append("locale", "en")
                $0.append("strength", Int32(2))
            })
    }
    static func view(on collection: String, match: Int32) -> BSONDocument {
        BSONDocument {
            $0.append("viewOn", collection)
            $0.append(
                "pipeline",
                array: [
                    BSONDocument {
                        $0.append("$match", BSONDocument { $0.append("n", match) })
                    }
                ])
        }
    }

    /// A measurement for the time series above.
    static func measurement(_ number: Int, station: String) -> BSONDocument {
        BSONDocument {
            $0.append("at", dateMilliseconds: 1_700_000_000_000 + Int64(number) * 60_000)
            $0.append("station", station)
            $0.append("celsius", Double(number) / 3)
        }
    }
}
