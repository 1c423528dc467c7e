internal import BSONBytes
internal import Glibc

/// The server's order of values: by class of type first (manual, "BSON comparison order"), within
/// a class by value.
enum ValueOrder {
    /// The place of a type's class in the order. Types of one class compare by value.
    static func classNumber(_ type: BSONType) -> Int {
        switch type {
        case .minKey: -1
        case .undefined: 0
        case .null: 5
        case .int32, .int64, .double, .decimal128: 10
        case .string, .symbol: 15
        case .document: 20
        case .array: 25
        case .binary: 30
        case .objectID: 35
        case .bool: 40
        case .date: 45
        case .timestamp: 47
        case .regularExpression: 50
        case .dbPointer: 55
        case .javaScript: 60
        case .javaScriptWithScope: 65
        case .maxKey: 127
        }
    }

    /// Below zero when `left` comes first, zero when both are equal.
    ///
    /// Recursion is as deep as the shallower of both values is nested.
    /// - Throws: `BSONError` when an element of a nested document does not fit.
    static func order(_ left: RawValue, _ right: RawValue) throws(BSONError) -> Int {
        let classes = classNumber(left.type) - classNumber(right.type)
        guard classes == 0 else { return classes }
        if let number = ComparableNumber(left), let other = ComparableNumber(right) {
            return number.order(other)
        }
        switch left.type {
        case .string, .symbol, .javaScript:
            return order(left.text, right.text)
        case .document: return try orderOfDocuments(left, right, byName: true)
        case .array: return try orderOfDocuments(left, right, byName: false)
        case .binary:
            // Length, then subtype, then bytes.
            let lengths = left.bytes.count - right.bytes.count
            return lengths != 0 ? lengths : order(left.bytes.from(4), right.bytes.from(4))
        case .bool:
            return (left.bytes[0] == 0 ? 0 : 1) - (right.bytes[0] == 0 ? 0 : 1)
        case .date: return order(left.integer(as: Int64.self), right.integer(as: Int64.self))
        case .timestamp:
            return order(left.integer(as: UInt64.self), right.integer(as: UInt64.self))
        case .dbPointer:
            let lengths = left.bytes.count - right.bytes.count
            return lengths != 0 ? lengths : order(left.bytes, right.bytes)
        case .javaScriptWithScope: return try orderOfScopedCode(left, right)
        case .objectID, .regularExpression: return order(left.bytes, right.bytes)
        case .minKey, .maxKey, .null, .undefined, .int32, .int64, .double, .decimal128: return 0
        }
    }

    private static func order<Number: Comparable>(_ left: Number, _ right: Number) -> Int {
        left < right ? -1 : left > right ? 1 : 0
    }

    /// By bytes, a beginning before the whole.
    private static func order(
        _ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer
    ) -> Int {
        let common = min(left.count, right.count)
        if common > 0, let first = left.baseAddress, let second = right.baseAddress {
            let order = memcmp(first, second, common)
            if order != 0 { return Int(order) }
        }
        return left.count - right.count
    }

    /// Element by element: class, then name (not in arrays), then value; a beginning before the
    /// whole.
    private static func orderOfDocuments(
        _ left: RawValue, _ right: RawValue, byName: Bool
    ) throws(BSONError) -> Int {
        var elements = RawElementReader(left.bytes)
        var others = RawElementReader(right.bytes)
        while true {
            let element = try elements.next()
            guard let other = try others.next() else { return element == nil ? 0 : 1 }
            guard let element else { return -1 }
            let classes =
                classNumber(element.value.type) - classNumber(other.value.type)
            guard classes == 0 else { return classes }
            let names = byName ? order(element.name, other.name) : 0
            guard names == 0 else { return names }
            let values = try order(element.value, other.value)
            guard values == 0 else { return values }
        }
    }

    private static func orderOfScopedCode(
        _ left: RawValue, _ right: RawValue
    ) throws(BSONError) -> Int {
        let (code, scope) = try left.codeAndScope()
        let (otherCode, otherScope) = try right.codeAndScope()
        let codes = order(code, otherCode)
        return try codes != 0 ? codes : orderOfDocuments(scope, otherScope, byName: true)
    }
}

extension RawValue {
    /// The bytes of a string, a symbol or code.
    var text: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: bytes[4..<bytes.count - 1])
    }

    /// The parts of code with its variables.
    ///
    /// - Throws: `lengthOutOfBounds` when a part does not fit, `missingTerminator`, `truncated`.
    fileprivate func codeAndScope() throws(BSONError) -> (UnsafeRawBufferPointer, RawValue) {
        guard bytes.count >= 14 else {
            throw BSONError(.truncated, "code with scope is cut", at: 0)
        }
        let count = Int(integer(at: 4, as: Int32.self))
        guard count >= 1, count <= bytes.count - 13 else {
            throw BSONError(.lengthOutOfBounds, "the code's length does not fit", at: 4)
        }
        let scope = bytes.from(8 + count)
        guard try BSONFraming.documentByteCount(in: scope, at: 0) == scope.count else {
            throw BSONError(.lengthOutOfBounds, "the scope's length does not fit", at: 8 + count)
        }
        let code = UnsafeRawBufferPointer(rebasing: bytes[8..<7 + count])
        return (code, RawValue(type: .document, bytes: scope))
    }
}

extension UnsafeRawBufferPointer {
    /// All but the first `count` bytes.
    fileprivate func from(_ count: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: self[count...])
    }
}
