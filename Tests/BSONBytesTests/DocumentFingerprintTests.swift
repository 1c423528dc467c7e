import BSONBytes
import Testing

@Suite struct DocumentFingerprintTests {
    private func fingerprint(_ numbers: [Int32]) -> DocumentFingerprint {
        var fingerprint = DocumentFingerprint()
        for number in numbers {
            BSONDocument { $0.append("_id", number) }.bytes.withUnsafeBytes { fingerprint.add($0) }
        }
        return fingerprint
    }

    @Test func orderDoesNotMatterButEveryDocumentCounts() {
        #expect(fingerprint([1, 2, 3]) == fingerprint([3, 1, 2]))
        #expect(fingerprint([1, 2, 3]) != fingerprint([1, 2]))
        #expect(fingerprint([1, 1]) != fingerprint([]))
        #expect(fingerprint([1, 1]) != fingerprint([2, 2]))
    }

    @Test func theParametersAreThoseOfTheSpecification() {
        // XXH3-128 of the empty input, seed 0, as the reference implementation gives it.
        var empty = DocumentFingerprint()
        empty.add(UnsafeRawBufferPointer(start: nil, count: 0))
        #expect(empty.hexadecimal == "99aa06d3014798d86001c324468d497f")
        #expect(DocumentFingerprint(bytes: empty.bytes) == empty)
    }
}
