import BSONBytes
import SampleData
import Testing

@Suite struct SampleDataSetTests {
    private let set = SampleDataSet(seed: 1, documentCount: 4000)

    @Test func theSameSeedGivesTheSameBytes() {
        let again = SampleDataSet(seed: 1, documentCount: 4000)
        for (collection, other) in zip(set.collections, again.collections) {
            let all = 0..<collection.documentCount
            #expect(collection.documents(all) == other.documents(all))
        }
    }

    @Test func anotherSeedGivesOtherDocuments() throws {
        let other = SampleDataSet(seed: 2, documentCount: 4000)
        for (collection, different) in zip(set.collections, other.collections)
        where collection.name != "availability" {
            #expect(try collection.document(at: 0) != different.document(at: 0))
        }
    }

    /// What other machines must get too: a change here changes every stored benchmark.
    @Test func bytesAreTheSameOnEveryMachine() throws {
        var fingerprint = DocumentFingerprint()
        for collection in set.collections {
            let bytes = collection.documents(0..<collection.documentCount)
            try bytes.withUnsafeBytes {
                try BSONFraming.forEachDocument(in: $0) { fingerprint.add($0) }
            }
        }
        #expect(fingerprint.hexadecimal == "29c75bc3606db43c28b4c42c501a9937")
    }

    @Test(arguments: [0, 1, 7, 1000, 4000])
    func collectionsAddUpToTheDocumentCount(documentCount: Int) {
        let set = SampleDataSet(seed: 3, documentCount: documentCount)
        #expect(set.collections.map(\.documentCount).reduce(0, +) == documentCount)
        #expect(set.collections.count == 10)
        #expect(set.collections.map(\.name) == set.collections.map(\.name).sorted())
    }

    @Test func anyRangeIsWhatItIsInTheWhole() throws {
        for collection in set.collections {
            let count = collection.documentCount
            let whole = collection.documents(0..<count)
            var pieces = collection.documents(0..<count / 3)
            collection.append(count / 3..<count / 2, to: &pieces)
            for index in count / 2..<count { pieces += try collection.document(at: index).bytes }
            #expect(pieces == whole)
        }
    }

    @Test func sizesAreThoseOfRealDocuments() throws {
        var byteCount = 0
        for collection in set.collections {
            let bytes = collection.documents(0..<collection.documentCount)
            byteCount += bytes.count
            try bytes.withUnsafeBytes {
                try BSONFraming.forEachDocument(in: $0) { document in
                    #expect((80...8000).contains(document.count))
                }
            }
        }
        #expect((800...920).contains(byteCount / set.documentCount))
    }

    @Test func documentsAreValidToTheirLastElement() throws {
        for collection in set.collections {
            for index in 0..<collection.documentCount where index % 10 == 0 {
                try walk(try collection.document(at: index))
            }
        }
    }

    @Test func identifiersAreUniqueAndFirst() throws {
        for collection in set.collections {
            var seen: Set<BSONValue> = []
            for index in 0..<collection.documentCount {
                let first = try #require(try collection.document(at: index).elements().first)
                #expect(first.name == "_id")
                seen.insert(first.value)
            }
            #expect(seen.count == collection.documentCount)
        }
    }

    @Test func documentsUseManyTypes() throws {
        var types: Set<BSONType> = []
        for collection in set.collections {
            try collect(&types, try collection.document(at: 0))
        }
        let expected: Set<BSONType> = [
            .objectID, .string, .document, .array, .binary, .bool, .date, .null, .int32, .int64,
            .double, .decimal128, .timestamp,
        ]
        #expect(types == expected)
    }

    @Test func indexesHaveKeyAndName() throws {
        for collection in set.collections {
            for index in collection.indexes {
                #expect(try index.require("key", \.document).isEmpty == false)
                #expect(try index.require("name", \.string).isEmpty == false)
            }
            #expect(try collection.options.first("capped")?.bool ?? true)
        }
    }

    private func collect(_ types: inout Set<BSONType>, _ document: BSONDocument) throws {
        for element in try document.elements() {
            types.insert(element.value.type)
            if let nested = element.value.document { try collect(&types, nested) }
        }
    }
}

/// Reads every element, nested ones too.
func walk(_ document: BSONDocument) throws {
    for element in try document.elements() {
        if let nested = element.value.document { try walk(nested) }
        if element.value.type == .array {
            try walk(try BSONDocument(validating: Array(element.value.bytes)))
        }
    }
}
