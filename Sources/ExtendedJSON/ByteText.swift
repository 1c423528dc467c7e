/// Two lowercase hexadecimal digits a byte.
func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
    let digits = Array("0123456789abcdef".utf8)
    let text = bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
    return String(decoding: text, as: UTF8.self)
}

/// Reads pairs of hexadecimal digits; nil for anything else.
func bytes(hexadecimal text: String) -> [UInt8]? {
    let digits = text.utf8.compactMap { Character(Unicode.Scalar($0)).hexDigitValue }
    guard digits.count == text.utf8.count, digits.count.isMultiple(of: 2) else { return nil }
    return stride(from: 0, to: digits.count, by: 2).map {
        UInt8(digits[$0] << 4 | digits[$0 + 1])
    }
}

/// Base64 with the standard alphabet and padding (RFC 4648, section 4).
func base64(_ bytes: some Sequence<UInt8>) -> String {
    let alphabet = base64Alphabet
    var text: [UInt8] = []
    var group: UInt32 = 0
    var byteCount = 0
    for byte in bytes {
        group = group << 8 | UInt32(byte)
        byteCount += 1
        guard byteCount.isMultiple(of: 3) else { continue }
        for shift in [18, 12, 6, 0] { text.append(alphabet[Int(group >> UInt32(shift) & 63)]) }
        group = 0
    }
    switch byteCount % 3 {
    case 1:
        text += [alphabet[Int(group >> 2)], alphabet[Int(group << 4 & 63)]]
    case 2:
        text += [10, 4].map { alphabet[Int(group >> $0 & 63)] } + [alphabet[Int(group << 2 & 63)]]
    default: break
    }
    text += repeatElement(UInt8(ascii: "="), count: (3 - byteCount % 3) % 3)
    return String(decoding: text, as: UTF8.self)
}

/// Reads Base64, padded or not; nil for other characters, or a length or last bits no encoder
/// writes.
func bytes(base64 text: String) -> [UInt8]? {
    let padding = text.utf8.reversed().prefix { $0 == UInt8(ascii: "=") }.count
    let symbols = text.utf8.dropLast(padding)
    let isPadded = text.utf8.count.isMultiple(of: 4) && padding <= 2
    guard padding == 0 || isPadded, symbols.count % 4 != 1 else { return nil }
    var values = [UInt8](repeating: .max, count: 256)
    for (value, symbol) in base64Alphabet.enumerated() { values[Int(symbol)] = UInt8(value) }
    var bytes: [UInt8] = []
    var pending: UInt32 = 0
    var bitCount: UInt32 = 0
    for symbol in symbols {
        let value = values[Int(symbol)]
        guard value < 64 else { return nil }
        pending = pending << 6 | UInt32(value)
        bitCount += 6
        guard bitCount >= 8 else { continue }
        bitCount -= 8
        bytes.append(UInt8(pending >> bitCount))
        pending &= 1 << bitCount - 1
    }
    return pending == 0 ? bytes : nil
}

private let base64Alphabet = Array(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
