public import BSONBytes

/// Small documents with every type and every oddity that BSON and a server allow: what a backup
/// must give back byte for byte. Their `_id`s differ, so one collection holds all of them.
public enum EveryTypeDocuments {
    /// Documents that a server (5.0 and newer) stores exactly as they are sent.
    public static var all: [BSONDocument] {
        [everyType, numbers, timestamps, names, nesting, binaries, strings] + identifiers
    }

    /// Documents that a server stores, but with other bytes than were sent: a Timestamp(0, 0) at
    /// the top becomes the present time, and an `_id` further back moves to the front.
    public static var alteredByServers: [BSONDocument] {
        [
            document("timestamp 0") { $0.append("now", BSONTimestamp(rawValue: 0)) },
            BSONDocument {
                $0.append("first", Int32(1))
                $0.append("_id", "not first")
            },
        ]
    }

    /// One document for each type, and each class of values, that a server takes as an `_id`: all
    /// types but array, regular expression and undefined. No two are equal to a server.
    public static var identifiers: [BSONDocument] {
        identifierValues.enumerated().map { position, value in
            BSONDocument {
                $0.append("_id", value)
                $0.append("position", Int32(position))
            }
        }
    }

    /// A document of exactly `byteCount` bytes, filled with bytes that hardly compress.
    ///
    /// - Parameter byteCount: 64 to 2^31 - 1; `BSONLimits.documentByteCountMax`, exactly 16 MiB, is
    ///   the most that a server takes.
    public static func document(
        ofByteCount byteCount: Int = BSONLimits.documentByteCountMax, seed: UInt64 = 0
    ) -> BSONDocument {
        precondition((64...Int(Int32.max)).contains(byteCount), "no document has that size")
        let empty = filled(byteCount: byteCount, payload: [])
        var payload: [UInt8] = []
        let payloadByteCount = byteCount - empty.bytes.count
        payload.reserveCapacity(payloadByteCount + 8)
        var random = SplitMix64(seed: seed)
        while payload.count < payloadByteCount {
            withUnsafeBytes(of: random.next().littleEndian) { payload.append(contentsOf: $0) }
        }
        let document = filled(byteCount: byteCount, payload: payload.prefix(payloadByteCount))
        assert(document.bytes.count == byteCount)
        return document
    }

    private static func filled(
        byteCount: Int, payload: some Collection<UInt8>
    ) -> BSONDocument {
        BSONDocument {
            $0.append("_id", Int64(byteCount))
            $0.append("fill", binary: payload, subtype: 0)
        }
    }

    /// A document whose `_id` is its name.
    static func document(
        _ name: String, _ body: (inout BSONBuilder) -> Void
    ) -> BSONDocument {
        BSONDocument {
            $0.append("_id", name)
            body(&$0)
        }
    }
}

// MARK: Documents

extension EveryTypeDocuments {
    /// Each type once, in the order of `BSONType.allCases`, and all of them again in an array.
    private static var everyType: BSONDocument {
        document("every type") {
            let values = BSONType.allCases.map(RawValues.typical)
            for value in values { $0.append("type \(value.type.rawValue)", value) }
            $0.append("array", array: values)
        }
    }

    /// Numbers whose bits are lost by anything that reads and writes them as numbers.
    private static var numbers: BSONDocument {
        document("numbers") {
            let patterns: [UInt64] = [
                0x8000_0000_0000_0000,  // -0.0
                0x7FF8_0000_0000_0000,  // quiet NaN
                0xFFF8_0000_0000_0001,  // negative quiet NaN with a payload
                0x7FF0_0000_0000_0001,  // signalling NaN
                0x7FFF_FFFF_FFFF_FFFF,  // NaN with every payload bit
                0x7FF0_0000_0000_0000, 0xFFF0_0000_0000_0000,  // the infinities
                0x0000_0000_0000_0001,  // the smallest subnormal
                0x7FEF_FFFF_FFFF_FFFF,  // the largest finite number
            ]
            for (index, pattern) in patterns.enumerated() {
                $0.append("double \(index)", RawValues.fixed(.double, pattern))
            }
            for value in [Int32.min, -1, 0, .max] { $0.append("int32 \(value)", value) }
            for value in [Int64.min, -1, 0, 1 << 53 + 1, .max] {
                $0.append("int64 \(value)", value)
            }
            for (index, value) in RawValues.decimals.enumerated() {
                $0.append("decimal \(index)", value)
            }
            for value in [Int64.min, -62_135_596_800_001, -1, 0, .max] {
                $0.append("date \(value)", dateMilliseconds: value)
            }
            $0.append("true", BSONValue(type: .bool, bytes: [1]))
            $0.append("false", BSONValue(type: .bool, bytes: [0]))
        }
    }

    /// Timestamps, zero among them where no server replaces it.
    private static var timestamps: BSONDocument {
        document("timestamps") {
            let zero = BSONTimestamp(rawValue: 0)
            $0.append("nested", BSONDocument { $0.append("zero", zero) })
            $0.append("in array", array: [RawValues.fixed(.timestamp, UInt64(0))])
            $0.append("increment", BSONTimestamp(seconds: 0, increment: 1))
            $0.append("largest", BSONTimestamp(rawValue: .max))
        }
    }

    /// Names that are doubled, empty, dotted, start with a dollar, are numbers, or are not ASCII.
    private static var names: BSONDocument {
        document("names") {
            $0.append("double", Int32(1))
            $0.append("double", "two")
            $0.append("double", Int32(1))
            $0.append("", "empty")
            $0.append("", "empty again")
            $0.append("dotted.name", Int32(1))
            $0.append(".", Int32(1))
            $0.append("..", Int32(1))
            $0.append("$set", BSONDocument { $0.append("$inc", Int32(1)) })
            $0.append("$", Int32(1))
            $0.append("0", Int32(1))
            $0.append("naïve 名前 🪨", Int32(1))
            $0.append(
                "nested", BSONDocument { $0.append("_id", RawValues.fixed(.int32, Int32(1))) })
            $0.append(String(repeating: "long ", count: 200), Int32(1))
            $0.append(
                "reference",
                BSONDocument {
                    $0.append("$ref", "users")
                    $0.append("$id", Int32(1))
                    $0.append("$db", "other")
                })
        }
    }

    /// Documents in documents in arrays, near to the depth that a server takes, and empty ones.
    private static var nesting: BSONDocument {
        document("nesting") {
            var deep = BSONDocument()
            for level in 0..<80 {
                let inner = deep
                deep = BSONDocument {
                    if level % 2 == 0 {
                        $0.append("d", inner)
                    } else {
                        $0.append("a", array: [inner])
                    }
                }
            }
            $0.append("deep", deep)
            $0.append("empty document", BSONDocument())
            $0.append("empty array", array: [BSONValue]())
            // A server does not look at the names of array elements.
            let named = BSONDocument {
                $0.append("7", Int32(1))
                $0.append("not a number", Int32(2))
            }
            $0.append("named array", BSONValue(type: .array, bytes: named.bytes[...]))
        }
    }

    /// Each subtype of binary data, and lengths around none.
    private static var binaries: BSONDocument {
        document("binaries") {
            for subtype: UInt8 in [0, 1, 3, 4, 5, 6, 8, 9, 0x80, 0xFF] {
                $0.append("subtype \(subtype)", binary: (0..<16).map { $0 }, subtype: subtype)
            }
            // The old binary type repeats its length inside.
            $0.append("subtype 2", binary: [3, 0, 0, 0, 1, 2, 3], subtype: 2)
            $0.append("empty", binary: [], subtype: 0)
            $0.append("zeroes", binary: [UInt8](repeating: 0, count: 300), subtype: 0)
        }
    }

    /// Strings with zero bytes inside, empty, long, and beyond the basic plane.
    private static var strings: BSONDocument {
        document("strings") {
            $0.append("empty", "")
            $0.append("zero inside", "a\u{0}b")
            $0.append("only zero", "\u{0}")
            $0.append("composed", "e\u{301}é")
            $0.append("beyond", "🪨🏔️")
            $0.append("right to left", "\u{202E}abc")
            $0.append("long", String(repeating: "stone on stone ", count: 2000))
            $0.append("not UTF-8", RawValues.text(.string, [0xFF, 0xC0, 0x80]))
        }
    }
}
