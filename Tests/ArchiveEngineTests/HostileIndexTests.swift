import ArchiveEngine
import ArchiveFormat
import Testing

/// Archives whose checksums are right and whose index says what can't be: each is an error, and
/// nothing that reads one may trap.
@Suite struct HostileIndexTests {
    private static let changes: [(String, @Sendable (inout ArchiveIndex) -> Void)] = [
        ("chunks beyond the last", { $0.manifest.namespaces[1].chunks = 1...4_000_000_000 }),
        ("only chunks beyond the last", { $0.manifest.namespaces[2].chunks = 99...99 }),
        ("a date before all", { $0.manifest.startedAt = .min }),
        ("a date after all", { $0.manifest.finishedAt = .max }),
        (
            "a negative loss",
            {
                $0.manifest.loss = Manifest.Loss(
                    chunkCount: -1, documentCount: 1, mayBeMore: false)
            }
        ),
        ("documents without bytes", { $0.rows[1].documentByteCount = .max }),
    ]

    @Test(arguments: changes.indices)
    func isAnError(_ position: Int) async throws {
        let archive = try await ArchiveFixture.archive()
        var index = try await IndexedArchiveReader(archive).index
        let end = index.rows.reduce(0) { $0 + $1.storedByteCount }
        let (name, change) = Self.changes[position]
        change(&index)
        let bytes = archive.bytes[..<Int(end)] + (try index.frames(at: end).bytes)
        let error = await #expect(throws: ArchiveError.self, "\(name)") {
            _ = try await IndexedArchiveReader(MemoryArchive(Array(bytes)))
        }
        let codes: [ArchiveError.Code] = [.malformed, .lengthOutOfBounds, .truncated]
        #expect(error.map { codes.contains($0.code) } == true, "\(name)")
    }

    /// Totals that are more than a number holds do not trap, whoever adds them up.
    @Test func totalsEndAtTheLargestNumber() {
        #expect([UInt64.max, 1, 5].clampedSum() == .max)
        #expect([UInt64]().clampedSum() == 0)
        #expect([1, 2, 3].clampedSum() == 6)
    }
}
