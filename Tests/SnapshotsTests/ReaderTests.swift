import ArchiveFormat
import BSONBytes
import SampleData
import Snapshots
import Testing

/// However many cursors read, and in whichever order, the archive holds the same documents.
@Suite(.needsServer) struct ReaderTests {
    /// Documents of some MB whose `_id`s are of every type there is, in no order.
    private static func documents() -> [BSONDocument] {
        let padding = String(repeating: "stone ", count: 50)
        var generator = SplitMix64(seed: 7)
        return (0..<12_000).map { number in
            BSONDocument {
                let random = generator.next()
                switch number % 6 {
                case 0: $0.append("_id", Int32(truncatingIfNeeded: number))
                case 1: $0.append("_id", "name \(random)")
                case 2: $0.append("_id", Double(number) + 0.5)
                case 3:
                    let bytes = withUnsafeBytes(of: random) { [UInt8]($0) }
                    $0.append("_id", binary: bytes, subtype: 0)
                case 4: $0.append("_id", BSONDocument { $0.append("n", Int64(number)) })
                default: $0.append("_id", dateMilliseconds: Int64(bitPattern: random >> 20))
                }
                $0.append("padding", padding + String(random))
            }
        }
    }

    @Test(arguments: [1, 3], Backup.ReadOrder.allCases)
    func documentsAreTheSameWhoeverReadsThem(
        _ readerCount: Int, _ order: Backup.ReadOrder
    ) async throws {
        let fixture = try await SnapshotFixture.shared()
        try await fixture.insert(Self.documents(), "large")
        for number in 0..<40 {
            try await fixture.insert((0..<Int32(number * 20)).map { document($0) }, "c\(number)")
        }
        let before = try await fixture.state()
        let observer = RecordingObserver()
        let report = try await fixture.backup(observer: observer) {
            $0.readerCount = readerCount
            $0.readOrder = order
        }
        #expect(report.manifest.namespaces.contains { $0.totals.documentCount == 12_000 })
        #expect(observer.notices.isEmpty)
        try await fixture.drop()
        try await fixture.restore()
        #expect(try await fixture.state() == before)
        try await fixture.drop()
    }

    /// Where one range has far more bytes than the average tells, it is not held in memory.
    @Test func aRangeOfGiantsIsReadAsItComes() async throws {
        let fixture = try await SnapshotFixture.shared()
        let giant = String(repeating: "x", count: 200_000)
        try await fixture.insert((0..<20_000).map { document($0) }, "c")
        try await fixture.insert(
            (0..<60).map { document(30_000 + $0) { $0.append("giant", giant) } }, "c")
        let before = try await fixture.state()
        try await fixture.backup { $0.readOrder = .id }
        try await fixture.drop()
        try await fixture.restore()
        #expect(try await fixture.state() == before)
        try await fixture.drop()
    }

    @Test func whatCanNotBeDividedIsReadAsItIsStored() async throws {
        let fixture = try await SnapshotFixture.shared()
        for (name, options) in [
            ("capped", CollectionOptions.capped), ("collated", CollectionOptions.caseInsensitive),
        ] {
            try await fixture.create(name, options)
            try await fixture.insert((0..<900).map { document($0) }, name)
        }
        let before = try await fixture.state()
        try await fixture.backup { $0.readOrder = .id }
        try await fixture.drop()
        try await fixture.restore()
        #expect(try await fixture.state() == before)
        try await fixture.drop()
    }
}
