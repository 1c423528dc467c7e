internal import BSONBytes

/// The values of an index's key. Servers before 3.4 took any: each that was neither a negative
/// number nor the name of a kind of index meant ascending.
enum LegacyIndexKey {
    /// What numbers are so near to zero that a conversion takes them for it.
    private static let nearlyZero = 1e-9

    /// Whether servers refuse the value: zero, NaN, an empty string, or neither a number nor a
    /// string.
    static func isRefused(_ value: BSONValue) -> Bool {
        if let text = value.string { return text.isEmpty }
        guard let number = value.nearestDouble else { return true }
        return number == 0 || number.isNaN
    }

    /// What a conversion makes of the value; nil when it stays.
    static func converted(_ value: BSONValue) -> Int32? {
        if isRefused(value) { return 1 }
        guard let number = value.double, abs(number) < nearlyZero else { return nil }
        return number > 0 ? 1 : -1
    }

    /// Whether it is the key of the index that every collection has.
    static func isDefault(_ key: BSONDocument) throws -> Bool {
        let elements = try key.elements()
        guard elements.count == 1, elements[0].name == "_id" else { return false }
        return isRefused(elements[0].value) || elements[0].value.nearestDouble == 1
    }

    /// Whether servers take it for a wrong form of that key, and refuse it.
    static func isDescendingDefault(_ key: BSONDocument) throws -> Bool {
        let elements = try key.elements()
        guard elements.count == 1, elements[0].name == "_id", try !isDefault(key) else {
            return false
        }
        return elements[0].value.nearestDouble.map { abs($0.rounded(.towardZero)) == 1 } ?? false
    }

    /// Extended JSON would be longer and says nothing more to a reader.
    static func text(_ value: BSONValue) -> String {
        if let text = value.string { return "\"\(text)\"" }
        if let flag = value.bool { return "\(flag)" }
        if let number = value.wholeNumber { return "\(number)" }
        if let number = value.nearestDouble { return "\(number)" }
        return value.type == .null ? "null" : "a value of type \(value.type)"
    }
}

extension BSONValue {
    /// A number of any type as the nearest double; nil for what is not a number.
    var nearestDouble: Double? {
        switch type {
        case .double: double
        case .int32: int32.map(Double.init)
        case .int64: int64.map(Double.init)
        case .decimal128: bytes.withUnsafeBytes { Decimal128(littleEndian: $0).nearestDouble }
        default: nil
        }
    }

    /// Whether it stands for nothing.
    var isNothing: Bool { type == .null || type == .undefined }
}
