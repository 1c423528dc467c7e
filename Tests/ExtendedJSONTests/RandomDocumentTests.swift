import BSONBytes
import ExtendedJSON
import Testing

@Suite struct RandomDocumentTests {
    @Test func randomDocumentsRoundTripByteForByte() throws {
        let seed = UInt64.random(in: 0 ... .max)
        print("ExtendedJSON random documents: seed \(seed)")
        var generator = SplitMix(state: seed)
        for _ in 0..<500 {
            let document = randomDocument(depth: 0, &generator)
            #expect(try survives(document, ExtendedJSONWriter()), "seed \(seed)")
            #expect(
                try survives(document, ExtendedJSONWriter(layout: .indented)), "seed \(seed)")
        }
    }

    /// The check can fail: relaxed text forgets that a small number was an int64.
    @Test func theCanaryIsCaught() throws {
        let canary = BSONDocument { $0.append("small", Int64(1)) }
        #expect(try !survives(canary, ExtendedJSONWriter(mode: .relaxed)))
    }

    private func survives(_ document: BSONDocument, _ writer: ExtendedJSONWriter) throws -> Bool {
        try ExtendedJSONParser.document(writer.text(of: document)) == document
    }
}

private func randomDocument(depth: Int, _ generator: inout SplitMix) -> BSONDocument {
    BSONDocument { builder in
        for _ in 0..<Int.random(in: 0...6, using: &generator) {
            let name = randomText(&generator).filter { $0 != "\u{0}" && $0 != "$" }
            builder.append(name, randomValue(depth: depth, &generator))
        }
    }
}

private func randomValue(depth: Int, _ generator: inout SplitMix) -> BSONValue {
    let type = BSONType.allCases.randomElement(using: &generator) ?? .null
    let text = Array(randomText(&generator).utf8)
    let string = length(text.count + 1) + text + [0]
    func bytes(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
    }
    let nested = depth < 4 ? randomDocument(depth: depth + 1, &generator) : BSONDocument()
    let content: [UInt8]
    switch type {
    case .undefined, .null, .minKey, .maxKey: content = []
    case .bool: content = [UInt8.random(in: 0...1, using: &generator)]
    case .int32: content = bytes(4)
    case .date, .timestamp, .int64: content = bytes(8)
    case .double:
        let number = Double(bitPattern: generator.next())
        content = withUnsafeBytes(of: number.isNaN ? 0 : number) { Array($0) }
    case .objectID: content = bytes(12)
    // A significand of 112 bits with an exponent whose encoding is the standard's own.
    case .decimal128:
        content = bytes(13) + [0, 0x40, UInt8.random(in: 0...255, using: &generator) & 0x9F | 0x10]
    case .string, .javaScript, .symbol: content = string
    case .binary:
        let subtype = UInt8.random(in: 3...255, using: &generator)
        content = length(text.count) + [subtype] + text
    case .dbPointer: content = string + bytes(12)
    case .document: content = nested.bytes
    case .array:
        var array = BSONBuilder()
        for index in 0..<3 {
            array.append(String(index), randomScalar(&generator))
        }
        content = array.document.bytes
    case .javaScriptWithScope:
        content = length(4 + string.count + nested.bytes.count) + string + nested.bytes
    case .regularExpression: content = text.filter { $0 != 0 } + [0] + Array("xi".utf8) + [0]
    }
    return BSONValue(type: type, bytes: content[...])
}

private func randomScalar(_ generator: inout SplitMix) -> BSONValue {
    BSONValue(type: .int32, bytes: length(Int.random(in: 0...9, using: &generator))[...])
}

private func randomText(_ generator: inout SplitMix) -> String {
    var text = String.UnicodeScalarView()
    for _ in 0..<Int.random(in: 0...8, using: &generator) {
        let limit: UInt32 = [0x20, 0x80, 0x3000, 0x11_0000].randomElement(using: &generator) ?? 1
        if let scalar = Unicode.Scalar(UInt32.random(in: 0..<limit, using: &generator)) {
            text.append(scalar)
        }
    }
    return String(text)
}

private func length(_ count: Int) -> [UInt8] {
    withUnsafeBytes(of: Int32(count).littleEndian) { Array($0) }
}

/// A small generator with a seed (Steele, Lea, Flood: SplitMix64).
private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}
