import BSONBytes
import SampleData
import Testing

@Suite struct EveryTypeDocumentsTests {
    @Test func everyTypeOccurs() throws {
        let types = try EveryTypeDocuments.all.flatMap { try $0.elements().map(\.value.type) }
        #expect(Set(types) == Set(BSONType.allCases))
    }

    @Test func documentsAreValidToTheirLastElement() throws {
        for document in EveryTypeDocuments.all + EveryTypeDocuments.alteredByServers {
            try walk(document)
            #expect(try document.first("_id") != nil)
        }
    }

    @Test func identifiersDifferAndHaveEveryAllowedType() throws {
        let values = try EveryTypeDocuments.identifiers.map { try $0.require("_id") { $0 } }
        #expect(Set(values).count == values.count)
        let never: Set<BSONType> = [.array, .regularExpression, .undefined]
        #expect(Set(values.map(\.type)) == Set(BSONType.allCases).subtracting(never))
    }

    @Test func theLargestDocumentHasExactlySixteenMebibytes() throws {
        let largest = EveryTypeDocuments.document()
        #expect(largest.bytes.count == 16_777_216)
        let framed = try BSONDocument(validating: largest.bytes)
        #expect(try framed.elements().map(\.name) == ["_id", "fill"])
    }

    @Test(arguments: [64, 65, 71, 72, 73, 1 << 20, (16 << 20) + 1])
    func documentsHaveTheSizeAskedFor(byteCount: Int) {
        #expect(EveryTypeDocuments.document(ofByteCount: byteCount).bytes.count == byteCount)
    }
}
