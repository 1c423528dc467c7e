import BSONBytes
import Testing

@Suite struct BSONDocumentTests {
    @Test func elementsComeBackInOrderWithDuplicateAndEmptyNames() throws {
        let document = BSONDocument {
            $0.append("", Int32(1))
            $0.append("a", "text")
            $0.append("a", 2.5)
            $0.append("$b.c", true)
        }
        let elements = try document.elements()
        #expect(elements.map(\.name) == ["", "a", "a", "$b.c"])
        #expect(elements[1].value.string == "text")
        #expect(elements[2].value.double == 2.5)
        #expect(try document.first("a")?.string == "text")
    }

    @Test func copyingElementsRebuildsTheSameBytes() throws {
        let document = BSONDocument {
            $0.append("n", BSONDocument { $0.append("x", Int64(-1)) })
            $0.append("l", array: ["a", "b"])
            $0.append("t", BSONTimestamp(seconds: 1, increment: 2))
            $0.append("b", binary: [1, 2, 3], subtype: 4)
            $0.append("d", dateMilliseconds: -5)
        }
        let copy = try BSONDocument { builder in
            for element in try document.elements() { builder.append(element) }
        }
        #expect(copy == document)
        #expect(try document.first("l")?.array()?.map(\.string) == ["a", "b"])
        #expect(try document.first("b")?.binary?.payload.elementsEqual([1, 2, 3]) == true)
    }

    @Test func everyTruncationOfADocumentIsAnError() throws {
        let document = BSONDocument { $0.append("a", BSONDocument { $0.append("b", "c") }) }
        for count in 0..<document.bytes.count {
            #expect(throws: BSONError.self) {
                try BSONDocument(validating: Array(document.bytes.prefix(count)))
            }
        }
    }

    @Test func everyFlippedByteIsAnErrorOrAnotherDocumentButNeverATrap() throws {
        let document = BSONDocument {
            $0.append("_id", BSONDocument { $0.append("b", "c") })
            $0.append("l", array: ["x", "y"])
            $0.append("s", "text")
            $0.append("b", binary: [1, 2, 3], subtype: 0)
        }
        for index in document.bytes.indices {
            for bit in 0..<8 {
                var bytes = document.bytes
                bytes[index] ^= 1 << bit
                guard let damaged = try? BSONDocument(validating: bytes) else { continue }
                for element in (try? damaged.elements()) ?? [] {
                    _ = try? element.value.array()
                    _ = try? element.value.document?.elements()
                }
                _ = damaged.bytes.withUnsafeBytes { try? DocumentKey(document: $0) }
            }
        }
    }

    @Test func lengthsOutsideTheLimitsAreRefused() {
        func framing(_ bytes: [UInt8]) -> BSONError.Code? {
            do {
                _ = try BSONDocument(validating: bytes)
                return nil
            } catch { return error.code }
        }
        #expect(framing([4, 0, 0, 0, 0]) == .lengthOutOfBounds)
        #expect(framing([5, 0, 0, 1, 0]) == .lengthOutOfBounds)
        #expect(framing([0xFF, 0xFF, 0xFF, 0xFF, 0]) == .lengthOutOfBounds)
        #expect(framing([5, 0, 0, 0, 1]) == .missingTerminator)
        #expect(framing([5, 0, 0, 0, 0, 0]) == .lengthOutOfBounds)
        #expect(framing([6, 0, 0, 0, 0]) == .truncated)
    }
}
