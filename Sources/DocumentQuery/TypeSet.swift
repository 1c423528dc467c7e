internal import BSONBytes

/// The types that `$type` asks for, by number or by name.
struct TypeSet: Sendable {
    private var types: Set<BSONType> = []

    /// Whether a value is of one of them.
    func contains(_ type: BSONType) -> Bool { types.contains(type) }

    /// - Throws: what is wrong with the value, in a few words.
    init(_ value: BSONValue) throws(Unknown) {
        let values: [BSONValue]
        do throws(BSONError) { values = try value.array() ?? [value] } catch {
            throw Unknown("has a damaged array")
        }
        guard !values.isEmpty else { throw Unknown("needs at least one type") }
        for value in values { types.formUnion(try Self.types(value)) }
    }

    /// Why a value names no type.
    struct Unknown: Error {
        let reason: String

        init(_ reason: String) {
            self.reason = reason
        }
    }

    private static func types(_ value: BSONValue) throws(Unknown) -> [BSONType] {
        if let name = value.string {
            if name == "number" { return [.int32, .int64, .double, .decimal128] }
            guard let type = named[name] else { throw Unknown("has a name that no type has") }
            return [type]
        }
        guard let number = value.exactInteger else {
            throw Unknown("takes numbers and names of types")
        }
        let code = number == -1 ? Int64(BSONType.minKey.rawValue) : number
        guard number != Int64(BSONType.minKey.rawValue), let byte = UInt8(exactly: code),
            let type = BSONType(rawValue: byte)
        else { throw Unknown("has a number that no type has") }
        return [type]
    }

    private static let named: [String: BSONType] = [
        "double": .double, "string": .string, "object": .document, "array": .array,
        "binData": .binary, "undefined": .undefined, "objectId": .objectID, "bool": .bool,
        "date": .date, "null": .null, "regex": .regularExpression, "dbPointer": .dbPointer,
        "javascript": .javaScript, "symbol": .symbol, "javascriptWithScope": .javaScriptWithScope,
        "int": .int32, "timestamp": .timestamp, "long": .int64, "decimal": .decimal128,
        "minKey": .minKey, "maxKey": .maxKey,
    ]
}

extension BSONValue {
    /// Calls `body` with the value where it lies.
    func withRawValue<Result>(
        _ body: (RawValue) throws(BSONError) -> Result
    ) throws(BSONError) -> Result {
        let result: Swift.Result<Result, BSONError> = bytes.withUnsafeBytes { buffer in
            do throws(BSONError) {
                return .success(try body(RawValue(type: type, bytes: buffer)))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    /// Its number; nil for other types.
    var comparableNumber: ComparableNumber? {
        bytes.withUnsafeBytes { ComparableNumber(RawValue(type: type, bytes: $0)) }
    }

    /// The whole number that a number of any type is exactly; nil for anything else.
    var exactInteger: Int64? {
        guard let number = comparableNumber, let truncated = number.truncated,
            number.order(.whole(truncated)) == 0
        else { return nil }
        return truncated
    }
}

extension ComparableNumber {
    /// The number without its fraction; nil for NaN and beyond 64 bits.
    var truncated: Int64? {
        switch self {
        case .whole(let number): return number
        case .double(let number):
            return number.isFinite ? Int64(exactly: number.rounded(.towardZero)) : nil
        case .decimal(.finite(let isNegative, let significand, let exponent)):
            var rest = significand
            for _ in 0..<max(-exponent, 0) where rest > 0 { rest /= 10 }
            for _ in 0..<max(exponent, 0) where rest > 0 && rest <= UInt128(UInt64.max) {
                rest *= 10
            }
            guard rest <= UInt128(Int64.max) + (isNegative ? 1 : 0) else { return nil }
            return isNegative ? Int64(truncatingIfNeeded: 0 - Int128(rest)) : Int64(rest)
        case .decimal: return nil
        }
    }
}
