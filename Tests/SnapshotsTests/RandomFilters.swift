import BSONBytes
import DocumentQuery
import ExtendedJSON
import SampleData

/// Documents and filters that meet often: few names, few values, all types.
struct RandomFilters {
    private var random: SplitMix64
    private let values: [BSONValue]

    /// What fields hold, and filters ask for: neighbours, equal numbers of other types, the ends of
    /// ranges, values that differ in one byte or in the order of names.
    private static let valueTexts = [
        "0", "1", "2", "-1", "5", #"{"$numberLong":"1"}"#, #"{"$numberLong":"5"}"#,
        #"{"$numberLong":"9007199254740993"}"#, #"{"$numberDouble":"9007199254740992.0"}"#,
        #"{"$numberLong":"9223372036854775807"}"#, #"{"$numberLong":"-9223372036854775808"}"#,
        #"{"$numberDouble":"9223372036854775808.0"}"#, "1.5", "-1.5", "0.1",
        #"{"$numberDouble":"1.0"}"#, #"{"$numberDouble":"-0.0"}"#, #"{"$numberDouble":"NaN"}"#,
        #"{"$numberDouble":"Infinity"}"#, #"{"$numberDouble":"-Infinity"}"#,
        #"{"$numberDecimal":"1"}"#, #"{"$numberDecimal":"1.0"}"#, #"{"$numberDecimal":"0.1"}"#,
        #"{"$numberDecimal":"1.5"}"#, #"{"$numberDecimal":"NaN"}"#,
        #"{"$numberDecimal":"Infinity"}"#, #"{"$numberDecimal":"-1E+3"}"#,
        #"{"$numberDecimal":"9007199254740993"}"#, #"{"$numberDecimal":"-0"}"#,
        "null", "true", "false", #""""#, #""a""#, #""ab""#, #""Abc""#, #""b\na""#, #""ä""#,
        #"{"$symbol":"ab"}"#, "{}", #"{"a":1}"#, #"{"b":1}"#, #"{"a":1,"b":2}"#,
        #"{"b":2,"a":1}"#, #"{"a":{"$numberDouble":"1.0"}}"#, #"{"a":null}"#, #"{"a":{"b":1}}"#,
        #"{"a":[1,2]}"#, #"{"0":1}"#, #"{"1":{"a":5}}"#, "[]", "[1]", "[1,2]", "[2,1]", "[[1,2]]",
        "[[]]", "[null]", #"[{"a":1},{"a":5}]"#, #"[{"b":1},3]"#, #"[[{"a":1}],{"a":[2,5]}]"#,
        #"["a","ab"]"#, #"{"$oid":"65f0c2a4b1d2e3f405162738"}"#,
        #"{"$oid":"65f0c2a4b1d2e3f405162739"}"#, #"{"$date":{"$numberLong":"0"}}"#,
        #"{"$date":{"$numberLong":"-1"}}"#, #"{"$timestamp":{"t":1,"i":1}}"#,
        #"{"$timestamp":{"t":4294967295,"i":1}}"#, #"{"$binary":{"base64":"AQ==","subType":"00"}}"#,
        #"{"$binary":{"base64":"AQI=","subType":"00"}}"#,
        #"{"$binary":{"base64":"AQI=","subType":"05"}}"#, #"{"$minKey":1}"#, #"{"$maxKey":1}"#,
        #"{"$regularExpression":{"pattern":"^a","options":""}}"#, #"{"$code":"a"}"#,
        #"{"$code":"a","$scope":{"a":1}}"#,
        #"{"$dbPointer":{"$ref":"a","$id":{"$oid":"65f0c2a4b1d2e3f405162738"}}}"#,
    ]

    /// Where filters begin to look.
    var fields = ["a", "b"]

    private static let names = ["a", "b", "0", "1"]

    private static let patterns = [
        ("^a", ""), ("b", ""), ("^A", "i"), ("a$", ""), ("^a", "m"), ("a.*b", "s"), ("b.a", ""),
        ("[ab]+$", ""), ("a b", "x"), (#"^\w$"#, ""), ("", ""), ("^(a|ab)c?$", "i"), ("a{,2}", ""),
        ("[]a]", ""), (#"\Aab\z"#, ""), ("ä", ""), ("^.$", ""),
    ]

    init(seed: UInt64) throws {
        random = SplitMix64(seed: seed)
        values = try Self.valueTexts.map { try ExtendedJSONParser.value(utf8: Array($0.utf8)) }
    }

    // MARK: Documents

    /// A document with that `_id`.
    mutating func document(_ id: Int32) -> BSONDocument {
        BSONDocument { builder in
            builder.append("_id", id)
            for name in ["a", "b"] where random.chance(85) {
                builder.append(name, value(depth: 2))
            }
        }
    }

    /// A document whose `_id` is of any type, also of those that servers do not store.
    mutating func documentOfAnyID() -> BSONDocument {
        BSONDocument { $0.append("_id", value(depth: 2)) }
    }

    private mutating func value(depth: Int) -> BSONValue {
        let kind = depth == 0 ? 0 : random.below(10)
        switch kind {
        case 6, 7: return nested(.document, depth)
        case 8, 9: return nested(.array, depth)
        default:
            return random.chance(3)
                ? BSONValue(type: .undefined, bytes: []) : values[random.below(values.count)]
        }
    }

    private mutating func nested(_ type: BSONType, _ depth: Int) -> BSONValue {
        let document = BSONDocument { builder in
            for position in 0..<random.below(4) {
                let name = type == .array ? String(position) : Self.names[random.below(4)]
                builder.append(name, value(depth: depth - 1))
            }
        }
        return BSONValue(type: type, bytes: document.bytes[...])
    }

    // MARK: Filters

    /// A filter, which may be one that a server refuses.
    mutating func filter(depth: Int = 2) -> BSONDocument {
        BSONDocument { builder in
            for _ in 0...random.below(8) / 6 {
                if depth > 0, random.chance(20) {
                    let name = ["$and", "$or", "$nor"][random.below(3)]
                    let branches = (0...random.below(3)).map { _ in filter(depth: depth - 1) }
                    builder.append(name, array: branches)
                } else {
                    builder.append(path(), condition(depth: depth))
                }
            }
        }
    }

    /// A filter that can be used.
    mutating func acceptedFilter() -> DocumentFilter {
        while true {
            do throws(QueryError) { return try DocumentFilter(filter()) } catch { continue }
        }
    }

    private mutating func path() -> String {
        let first = fields[random.below(fields.count)]
        let more = [0, 0, 1, 1, 1, 2][random.below(6)]
        return ([first] + (0..<more).map { _ in Self.names[random.below(4)] })
            .joined(separator: ".")
    }

    private mutating func condition(depth: Int) -> BSONValue {
        if random.chance(20) { return constant() }
        if random.chance(5) { return expression() }
        return operators(depth: depth)
    }

    private mutating func operators(depth: Int) -> BSONValue {
        let document = BSONDocument { builder in
            // Which of two expressions counts is nobody's promise; here two are refused.
            let hasPattern = random.chance(6)
            if hasPattern { appendPattern(to: &builder) }
            for _ in 0...random.below(8) / 6 where !hasPattern || random.chance(20) {
                appendOperator(depth: depth, to: &builder)
            }
        }
        return BSONValue(type: .document, bytes: document.bytes[...])
    }

    private mutating func constant() -> BSONValue {
        while true {
            let value = random.chance(20) ? value(depth: 1) : values[random.below(values.count)]
            if value.type != .regularExpression { return value }
        }
    }

    private mutating func expression() -> BSONValue {
        let (pattern, options) = Self.patterns[random.below(Self.patterns.count)]
        let bytes = Array(pattern.utf8) + [0] + Array(options.utf8) + [0]
        return BSONValue(type: .regularExpression, bytes: bytes[...])
    }

    private mutating func appendOperator(depth: Int, to builder: inout BSONBuilder) {
        switch random.below(17) {
        case 0...4:
            let names = ["$eq", "$ne", "$gt", "$gte", "$lt", "$lte"]
            builder.append(names[random.below(names.count)], constant())
        case 5, 6:
            let list = (0..<random.below(4)).map { _ in
                random.chance(10) ? expression() : constant()
            }
            builder.append(["$in", "$nin"][random.below(2)], array: list)
        case 7: builder.append("$exists", random.chance(50))
        case 8: builder.append("$type", type())
        case 9, 10:
            let parts = [values[random.below(7)], values[random.below(values.count)]]
            builder.append("$mod", array: parts)
        case 11: builder.append("$size", Int32(random.below(4)))
        case 12: builder.append("$all", array: (0..<random.below(3)).map { _ in constant() })
        case 13, 14: appendElementMatch(depth: depth, to: &builder)
        case 15: builder.append("$not", random.chance(20) ? expression() : operators(depth: 0))
        default: appendBits(to: &builder)
        }
    }

    private mutating func appendPattern(to builder: inout BSONBuilder) {
        let (pattern, options) = Self.patterns[random.below(Self.patterns.count)]
        builder.append("$regex", pattern)
        builder.append("$options", options)
    }

    private mutating func appendElementMatch(depth: Int, to builder: inout BSONBuilder) {
        guard depth > 0 else { return builder.append("$gte", constant()) }
        if random.chance(50) {
            builder.append("$elemMatch", operators(depth: depth - 1))
        } else if random.chance(30) {
            let inner = BSONDocument { $0.append("$elemMatch", operators(depth: depth - 1)) }
            builder.append("$all", array: [inner])
        } else {
            builder.append("$elemMatch", filter(depth: depth - 1))
        }
    }

    private mutating func appendBits(to builder: inout BSONBuilder) {
        let names = ["$bitsAllSet", "$bitsAllClear", "$bitsAnySet", "$bitsAnyClear"]
        let name = names[random.below(4)]
        switch random.below(3) {
        case 0: builder.append(name, Int32(random.below(8)))
        case 1: builder.append(name, binary: [UInt8(random.below(4)), 1], subtype: 0)
        default:
            let position = BSONDocument { $0.append("", Int32([0, 1, 9, 70][random.below(4)])) }
            let value = BSONValue(type: .int32, bytes: position.bytes[6..<10])
            builder.append(name, array: [value])
        }
    }

    private mutating func type() -> BSONValue {
        let texts = [
            #""number""#, #""string""#, "2", "3", #"["array","null"]"#, "-1", #""object""#, "16",
            #"[1,"long"]"#, #""undefined""#, "127", #""nonsense""#,
        ]
        let text = texts[random.below(texts.count)]
        do {
            return try ExtendedJSONParser.value(utf8: Array(text.utf8))
        } catch {
            preconditionFailure("\(text): \(error)")
        }
    }
}
