import BSONBytes
import ExtendedJSON
import Foundation
import Testing

@testable import Snapshots

/// Which entries of an oplog are understood, without a server.
@Suite struct OplogRulesTests {
    private static let specification = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "formats/oplog.md")

    /// The rows of the tables of the specification, by their heading's first column.
    private static func table(_ heading: String) throws -> [String: String] {
        let lines = try String(contentsOf: specification, encoding: .utf8)
            .split(separator: "\n", omittingEmptySubsequences: false)
        var rows: [String: String] = [:]
        var isWithin = false
        for line in lines {
            let columns = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
            if columns.first == heading { isWithin = true }
            if !line.hasPrefix("|") { isWithin = false }
            guard isWithin, columns.count == 3, columns[1] != "disposition",
                !columns[0].hasPrefix("---")
            else { continue }
            rows[columns[0].trimmingCharacters(in: ["`"])] = columns[1]
        }
        return rows
    }

    @Test func kindsAndCommandsAreThoseOfTheSpecification() throws {
        let operations = OplogDisposition.operations.mapValues(\.rawValue)
        #expect(try Self.table("`op`") == operations)
        let commands = OplogDisposition.commands.mapValues(\.rawValue)
        #expect(try Self.table("command") == commands)
        let text = try String(contentsOf: Self.specification, encoding: .utf8)
        for field in OplogEntry.knownFields { #expect(text.contains("`\(field)`"), "\(field)") }
    }

    static func entry(_ json: String) throws -> OplogEntry {
        try OplogEntry(ExtendedJSONParser.document(utf8: Array(json.utf8)))
    }

    /// What the rules say of an entry; nil when they take it.
    private static func refusal(
        _ document: BSONDocument, _ rules: OplogRules = OplogRules()
    ) -> OplogRefusal? {
        do throws(OplogRefusal) {
            try rules.check(OplogEntry(document))
            return nil
        } catch { return error }
    }

    private static func refusal(
        _ json: String, _ rules: OplogRules = OplogRules()
    ) throws -> OplogRefusal? {
        refusal(try ExtendedJSONParser.document(utf8: Array(json.utf8)), rules)
    }

    /// An update of `_id` 1.
    private static func update(_ object: String) -> String {
        #"{"op":"u","ns":"d.c","o2":{"_id":1},"v":2,"o":"# + object + "}"
    }

    private static func delta(_ diff: String) -> String {
        update(#"{"$v":2,"diff":"# + diff + "}")
    }

    private static func command(_ object: String, _ other: String = "") -> String {
        #"{"op":"c","ns":"d.$cmd","v":2"# + other + #","o":"# + object + "}"
    }

    private static let transaction = #","lsid":{"id":1},"txnNumber":{"$numberLong":"3"}"#

    /// Entries, a line each: those that are refused with a part of the reason.
    private static func cases() throws -> [(refused: String?, entry: BSONDocument)] {
        let file = URL(filePath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "Fixtures/oplog/entries.ndjson")
        return try String(contentsOf: file, encoding: .utf8).split(separator: "\n").map { line in
            let document = try ExtendedJSONParser.document(utf8: Array(line.utf8))
            return (
                try document.first("refused")?.string, try document.require("entry", \.document)
            )
        }
    }

    @Test func whatIsKnownIsTakenAndAllElseIsRefused() throws {
        let cases = try Self.cases()
        #expect(cases.count { $0.refused == nil } > 30 && cases.count { $0.refused != nil } > 80)
        for (reason, document) in cases {
            let refusal = Self.refusal(document)
            let text = try ExtendedJSONWriter().text(of: document)
            guard let reason else {
                #expect(refusal == nil, "\(text)")
                continue
            }
            let isNamed = refusal?.reason.contains(reason) ?? false
            #expect(refusal != nil && (reason.isEmpty || isNamed), "\(text): \(refusal as Any)")
        }
    }

    @Test func deltasAndOperationsAreOnlySoDeep() throws {
        func nested(_ depth: Int) -> String {
            String(repeating: #"{"sa":"#, count: depth) + #"{"u":{"b":1}}"#
                + String(repeating: "}", count: depth)
        }
        #expect(try Self.refusal(Self.delta(nested(150))) == nil)
        var diff = BSONDocument { $0.append("u", BSONDocument { $0.append("b", true) }) }
        for _ in 0..<5000 { diff = BSONDocument { [diff] in $0.append("sa", diff) } }
        #expect(throws: DocumentDiff.Defect.self) { _ = try DocumentDiff(diff) }
        func operations(_ depth: Int) -> String {
            guard depth > 0 else { return #"{"op":"n","ns":"","o":{}}"# }
            return Self.command(#"{"applyOps":["# + operations(depth - 1) + "]}")
        }
        #expect(try Self.refusal(operations(3)) == nil)
        #expect(try Self.refusal(operations(9))?.reason.contains("too deep") == true)
    }

    @Test func binaryDeltasAreOnlyForServersThatKnowThem() throws {
        let json = Self.delta(
            #"{"b":{"a":{"o":0,"d":{"$binary":{"base64":"AA==","subType":"07"}}}}}"#)
        #expect(try Self.refusal(json, OplogRules(allowsBinaryDiffs: true)) == nil)
        let refusal = try Self.refusal(json, OplogRules(allowsBinaryDiffs: false))
        #expect(refusal?.reason.contains("7.1") == true)
    }

    @Test func aRefusalNamesTheEntryAndNothingOfDocuments() throws {
        let json =
            #"{"op":"u","ns":"d.secret\u0007name","v":2,"#
            + #""ts":{"$timestamp":{"t":1796083120,"i":39}},"#
            + #""o2":{"_id":"hidden"},"o":{"$v":2,"diff":{"u":{"password":"hidden"},"x":1}}}"#
        let text = try #require(try Self.refusal(json)).description
        #expect(text.contains("1796083120:39") && text.contains("op \"u\""), "\(text)")
        #expect(text.contains("d.secret?name"), "\(text)")
        #expect(!text.contains("hidden") && !text.contains("password"), "\(text)")
        let name = String(repeating: "x", count: 5000)
        let long = try #require(
            try Self.refusal(#"{"op":""# + name + #"","ns":"d.c","o":{}}"#))
        #expect(long.description.count < 400)
    }

    @Test func transactionsAreHeldUpToALimitOrKnownBeforehand() throws {
        let fill = String(repeating: "x", count: 1_000_000)
        let part = Self.command(
            #"{"applyOps":[{"op":"i","ns":"d.c","o":{"_id":1,"f":""# + fill
                + #""}}],"partialTxn":true}"#,
            Self.transaction)
        let first = try Self.entry(part)
        let last = try Self.entry(
            Self.command(
                #"{"applyOps":[{"op":"d","ns":"d.c","o":{"_id":2}}],"count":2}"#,
                Self.transaction))
        var held = OplogTransactions(completed: nil)
        for _ in 0..<3 { #expect(try held.take(first).isEmpty) }
        #expect(try held.take(last).count == 4)
        #expect(try held.take(last).count == 1)
        #expect(throws: OplogRefusal.self) {
            for _ in 0..<70 { _ = try held.take(first) }
        }
        let id = try #require(first.transaction)
        var known = OplogTransactions(completed: [id])
        for _ in 0..<100 { #expect(try known.take(first).count == 1) }
        #expect(try known.take(last).count == 1 && known.commit(last).isEmpty)
        var never = OplogTransactions(completed: [])
        #expect(try never.take(first).isEmpty)
    }

    /// Such groups have no session; what links them is the time of the entry before.
    @Test func groupsWithoutASessionTakeEffectTogether() throws {
        func part(_ increment: Int, after previous: Int, isLast: Bool) throws -> OplogEntry {
            let time = #"{"$timestamp":{"t":1,"i":"#
            return try Self.entry(
                Self.command(
                    #"{"applyOps":[{"op":"i","ns":"d.c","o":{"_id":1}}]"#
                        + (isLast ? "}" : #","partialTxn":true}"#),
                    #","ts":\#(time)\#(increment)}},"#
                        + #""prevOpTime":{"ts":\#(time)\#(previous)}},"t":1}"#))
        }
        var transactions = OplogTransactions(completed: [])
        #expect(try transactions.take(part(1, after: 0, isLast: false)).isEmpty)
        #expect(try transactions.take(part(5, after: 4, isLast: false)).isEmpty)
        #expect(try transactions.take(part(2, after: 1, isLast: false)).isEmpty)
        #expect(try transactions.take(part(3, after: 2, isLast: true)).count == 3)
        #expect(try transactions.take(part(6, after: 5, isLast: true)).count == 2)
    }
}
