import BSONBytes
import ExtendedJSON
import Foundation
import MongoDriver
import PrivateServer
import SampleData
import Testing

@testable import Snapshots

/// Entries that nobody wrote, and a real server: what is not refused here must not end that one.
@Suite(.needsServer) struct OplogFuzzTests {
    /// How many mutated entries are tried with each seed.
    private static let entryCount = 2500

    private static let deltas = [
        #"{"d":{"a":false},"u":{"b":1,"n":{"x":2}},"i":{"c":[1,2]},"sf":{"u":{"x":1}}}"#,
        #"{"slist":{"a":true,"u0":0,"u4":{"v":1}}}"#, #"{"slist":{"a":true,"l":2,"u1":7}}"#,
        #"{"slist":{"a":true,"l":9}}"#, #"{"slist":{"a":true,"s0":{"u":{"v":5}},"u2":1}}"#,
        #"{"sdeep":{"a":true,"s1":{"a":true,"s1":{"u":{"k":5}},"u2":null}}}"#,
        #"{"ssub":{"i":{"new":{"a":{"b":1}}},"sdeep":{"d":{"0":false}}}}"#,
        #"{"i":{"list":1,"":2,"$x":3,"a.b":4}}"#, #"{"u":{"_id":1.0}}"#,
    ]
    private static let others = [
        #"{"_id":1,"whole":[1,{"a":2}]}"#, #"{"a":2}"#,
        #"{"$v":1,"$set":{"list.1":{"v":1},"sub.deep.0":3,"z":1},"$unset":{"a":true}}"#,
        #"{"$set":{"list.7":1}}"#, #"{"$v":2,"diff":{"u":{"b":1}}}"#,
    ]
    private static let document = #"""
        {"_id":1,"a":1,"b":{"x":1},"list":[{"v":1},2,3],"deep":[0,[1,{"k":1}]],
         "sub":{"deep":{"0":1,"1":2}},"f":{"x":9}}
        """#

    private static func parsed(_ json: String) throws -> BSONDocument {
        try ExtendedJSONParser.document(utf8: Array(json.utf8))
    }

    private static func entry(_ op: String, _ object: BSONDocument, in name: String)
        -> BSONDocument
    {
        BSONDocument {
            $0.append("op", op)
            $0.append("ns", name)
            $0.append("o", object)
            if op == "u" { $0.append("o2", BSONDocument { $0.append("_id", Int32(1)) }) }
        }
    }

    @Test(arguments: [UInt64.random(in: 0 ... .max), 1])
    func noEntryThatIsTakenEndsAServer(seed: UInt64) async throws {
        let server = try await PrivateServer()
        let pool = try MongoPool(uri: server.uri, connectionCountMax: 2)
        let start = try Self.parsed(Self.document)
        var mutator = BSONMutator(seed: seed)
        let rules = OplogRules(allowsBinaryDiffs: false)
        var (takenCount, appliedCount, refusedCount) = (0, 0, 0)
        try await pool.withConnection { connection in
            try await connection.createCollection("c", in: "d")
            for number in 0..<Self.entryCount {
                let made = try mutator.entry(Self.deltas, Self.others, Self.parsed, Self.entry)
                do {
                    try rules.check(OplogEntry(made))
                } catch is OplogRefusal {
                    refusedCount += 1
                    continue
                }
                takenCount += 1
                do {
                    let first = Self.entry("i", start, in: "d.c")
                    try await connection.applyOperations([first], bypassingValidation: true)
                    try await connection.applyOperations([made], bypassingValidation: true)
                    appliedCount += 1
                } catch let error as MongoError where !error.isNetworkError {
                    continue
                } catch {
                    let text = try ExtendedJSONWriter().text(of: made)
                    Issue.record("seed \(seed), entry \(number): \(error): \(text)")
                    return
                }
            }
        }
        #expect(takenCount > 200 && refusedCount > 200, "seed \(seed)")
        #expect(appliedCount > 100, "\(appliedCount) of \(takenCount), seed \(seed)")
        try await server.stop()
    }

    /// The canary: a server does end of such entries, and it is noticed.
    @Test func anIndexBeyondItsArrayEndsAServerAndIsRefused() async throws {
        let delta = try Self.parsed(#"{"$v":2,"diff":{"slist":{"a":true,"l":1,"u3":7}}}"#)
        let entry = Self.entry("u", delta, in: "d.c")
        #expect(throws: OplogRefusal.self) { try OplogRules().check(OplogEntry(entry)) }
        let server = try await PrivateServer()
        let pool = try MongoPool(uri: server.uri, connectionCountMax: 2)
        let info = try await pool.withConnection { try await $0.serverInfo() }
        guard info.version < ServerInfo.Version(7, 0) else { return try await server.stop() }
        let error = await #expect(throws: MongoError.self) {
            try await pool.withConnection { connection in
                try await connection.createCollection("c", in: "d")
                let first = Self.entry("i", try Self.parsed(Self.document), in: "d.c")
                try await connection.applyOperations([first], bypassingValidation: true)
                try await connection.applyOperations([entry], bypassingValidation: true)
            }
        }
        #expect(error?.isNetworkError == true, "\(error as Any)")
        _ = await Result { try await server.stop() }
    }
}

extension Result where Failure == any Error {
    fileprivate init(_ body: () async throws -> Success) async {
        do { self = .success(try await body()) } catch { self = .failure(error) }
    }
}

/// Changes documents at random: names, values, order, what is in what.
private struct BSONMutator {
    private var random: SplitMix64
    private static let names = [
        "a", "l", "u", "d", "i", "b", "s", "u0", "u1", "u3", "u4", "u2", "s0", "s1", "u9",
        "u2000000", "sa", "slist", "s_id", "_id", "$v", "$set", "diff", "", "$inc", "list",
        "list.3", "list.1499999", "u01", "u-1", "deep.1.1.k", "sdeep", "o",
    ]

    init(seed: UInt64) {
        random = SplitMix64(seed: seed)
    }

    mutating func entry(
        _ deltas: [String], _ others: [String], _ parse: (String) throws -> BSONDocument,
        _ entry: (String, BSONDocument, String) -> BSONDocument
    ) throws -> BSONDocument {
        var object: BSONDocument
        let isDelta = random.below(3) > 0
        if isDelta {
            var diff = try parse(deltas[random.below(deltas.count)])
            for _ in 0..<random.below(4) { diff = try mutated(diff) }
            object = BSONDocument {
                $0.append("$v", Int32(2))
                $0.append("diff", diff)
            }
        } else {
            object = try parse(others[random.below(others.count)])
        }
        if random.below(6) == 0 || !isDelta { object = try mutated(object) }
        var made = entry(["u", "u", "u", "u", "i", "d"][random.below(6)], object, "d.c")
        if random.below(12) == 0 { made = try mutated(made) }
        return made
    }

    private mutating func value() -> BSONValue {
        func wrapped(_ build: (inout BSONBuilder) -> Void) -> BSONValue {
            var builder = BSONBuilder()
            build(&builder)
            do {
                return try builder.document.require("v") { $0 }
            } catch { preconditionFailure("it was just appended: \(error)") }
        }
        let numbers: [Int32] = [0, 1, 2, 3, 4, 7, 100, -1, .max, .min, 2_000_000]
        let number = numbers[random.below(numbers.count)]
        switch random.below(9) {
        case 0: return wrapped { $0.append("v", true) }
        case 1: return wrapped { $0.append("v", false) }
        case 2: return wrapped { $0.append("v", BSONDocument()) }
        case 3: return wrapped { $0.append("v", Int64(number)) }
        case 4: return wrapped { $0.append("v", Double(number)) }
        case 5: return wrapped { $0.append("v", array: [BSONDocument(), BSONDocument()]) }
        case 6: return wrapped { $0.append("v", binary: [1, 2, 3], subtype: 7) }
        case 7: return wrapped { $0.append("v", "text") }
        default: return wrapped { $0.append("v", number) }
        }
    }

    /// The same with one thing changed, here or within what is in it.
    private mutating func mutated(_ document: BSONDocument) throws -> BSONDocument {
        var parts = try document.elements().map { (name: $0.name, value: $0.value) }
        let name = Self.names[random.below(Self.names.count)]
        guard !parts.isEmpty else { return BSONDocument { $0.append(name, value()) } }
        let place = random.below(parts.count)
        if let inner = parts[place].value.document, random.below(4) > 0 {
            let changed = try mutated(inner)
            parts[place].value = BSONValue(type: .document, bytes: changed.bytes[...])
        } else {
            switch random.below(7) {
            case 0: parts.remove(at: place)
            case 1: parts.insert(parts[place], at: random.below(parts.count))
            case 2: parts.insert((name, value()), at: random.below(parts.count + 1))
            case 3: parts[place].name = name
            case 4: parts.swapAt(place, random.below(parts.count))
            case 5:
                let inner = BSONDocument { [part = parts[place]] in $0.append(name, part.value) }
                parts[place].value = BSONValue(type: .document, bytes: inner.bytes[...])
            default: parts[place].value = value()
            }
        }
        return BSONDocument { [parts] in for part in parts { $0.append(part.name, part.value) } }
    }
}
