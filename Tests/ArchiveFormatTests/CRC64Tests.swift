import ArchiveFormat
import Testing

@Suite struct CRC64Tests {
    private func checksum(_ text: String) -> UInt64 {
        Array(text.utf8).withUnsafeBytes { CRC64.checksum($0) }
    }

    @Test func theChecksumIsThatOfTheSpecification() {
        #expect(checksum("123456789") == 0x995D_C9BB_DF19_39FA)
        #expect(checksum("") == 0)
        #expect(checksum("abc") == 0x2CD8_094A_1A27_7627)
    }

    @Test func partsCombineToTheWholeAtEveryCut() {
        #expect(
            CRC64.combine(checksum("abc"), checksum("def"), secondByteCount: 3)
                == 0xD08E_9F85_45A7_00F4)
        let text = String((0..<300).map { Character(UnicodeScalar(UInt8($0 % 94 + 33))) })
        for cut in 0...300 {
            let second = String(text.dropFirst(cut))
            let combined = CRC64.combine(
                checksum(String(text.prefix(cut))), checksum(second),
                secondByteCount: UInt64(second.utf8.count))
            #expect(combined == checksum(text))
        }
    }

    @Test func lengthsBeyondFourGigabytesCombine() {
        // Twice 2^31 zero bytes are 2^32 zero bytes: the law itself gives the reference.
        func zeros(_ exponent: Int) -> UInt64 {
            var crc = [UInt8](repeating: 0, count: 1).withUnsafeBytes { CRC64.checksum($0) }
            for power in 0..<exponent {
                crc = CRC64.combine(crc, crc, secondByteCount: 1 << UInt64(power))
            }
            return crc
        }
        let mebibyte = [UInt8](repeating: 0, count: 1 << 20).withUnsafeBytes { CRC64.checksum($0) }
        #expect(zeros(20) == mebibyte)
        #expect(
            CRC64.combine(zeros(35), zeros(36), secondByteCount: 1 << 36)
                == CRC64.combine(zeros(36), zeros(35), secondByteCount: 1 << 35))
    }

    @Test func aChecksumGoesOnFromTheOneBefore() {
        let first = checksum("12345")
        #expect(
            Array("6789".utf8).withUnsafeBytes { CRC64.checksum($0, after: first) }
                == checksum("123456789"))
    }
}
