import BSONBytes
import Testing

@testable import MongoDriver

@Suite struct InsertCommandsTests {
    private func documents(_ count: Int, payload: Int = 0) -> [BSONDocument] {
        (0..<count).map { number in
            BSONDocument {
                $0.append("_id", Int32(number))
                $0.append("p", binary: [UInt8](repeating: 7, count: payload), subtype: 0)
            }
        }
    }

    /// The documents of all commands, each command checked for its size.
    private func regrouped(_ run: [BSONDocument], _ options: InsertOptions) throws
        -> [[BSONDocument]]
    {
        var commands = InsertCommands(run.flatMap(\.bytes)[...], into: "c", options)
        var groups: [[BSONDocument]] = []
        while let bytes = try commands.next() {
            #expect(bytes.count <= InsertCommands.commandByteCountMax)
            let command = try BSONDocument(
                validating: bytes, limit: InsertCommands.commandByteCountMax)
            #expect(try command.first("insert")?.string == "c")
            groups.append(try command.documents(in: "documents"))
        }
        return groups
    }

    @Test(arguments: [1, 2, 3, 10, 11, 100, 1000])
    func commandsHoldEveryDocumentOnceAndInOrder(documentCountMax: Int) throws {
        let run = documents(123)
        var options = InsertOptions()
        options.documentCountMax = documentCountMax
        let groups = try regrouped(run, options)
        #expect(groups.flatMap(\.self) == run)
        #expect(groups.dropLast().allSatisfy { $0.count == documentCountMax })
    }

    @Test func commandsStayWithinWhatAServerTakes() throws {
        let run = documents(9, payload: 5 << 20)
        let groups = try regrouped(run, InsertOptions())
        #expect(groups.map(\.count) == [3, 3, 3])
        #expect(groups.flatMap(\.self) == run)
    }

    @Test func nothingMakesNoCommand() throws {
        #expect(try regrouped([], InsertOptions()).isEmpty)
    }

    @Test func aCutRunIsRefused() throws {
        var commands = InsertCommands(
            documents(2).flatMap(\.bytes).dropLast(), into: "c", InsertOptions())
        #expect(throws: BSONError.self) { try commands.next() }
    }
}
