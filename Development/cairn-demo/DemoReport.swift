import BSONBytes

/// What came out of it.
struct DemoReport {
    let original: DatabaseState
    /// What is there after the restore.
    var restored: DatabaseState?
    /// Seconds of each command, in order.
    var timings: [(name: String, seconds: Double)] = []
    var totalSeconds = 0.0

    init(original: DatabaseState) {
        self.original = original
    }

    /// Prints table and verdict.
    ///
    /// - Throws: `DemoError` unless everything is equal.
    func conclude() throws {
        guard let restored else { throw DemoError("nothing was restored") }
        let differences = restored.differences(from: original)
        Terminal.say()
        printTable(restored, Set(differences.map(\.collection)))
        Terminal.say()
        printTimings()
        Terminal.say()
        guard differences.isEmpty, restored == original else {
            let list = differences.map { "\($0.collection): \($0.what)" }
            throw DemoError("not equal after the restore: \(list.joined(separator: "; "))")
        }
        Terminal.say(
            Terminal.green("Proven equal")
                + ": every count, fingerprint, option and index is what it was before the damage.")
    }

    private func printTable(_ restored: DatabaseState, _ unequal: Set<String>) {
        row(["collection", "documents", "indexes", "fingerprint", "equal"])
        row([20, 11, 7, 32, 5].map { String(repeating: "-", count: $0) })
        for (name, collection) in restored.collections.sorted(by: { $0.key < $1.key }) {
            row([
                name, collection.documentCount.grouped, String(collection.indexes.count),
                collection.fingerprint.hexadecimal, mark(!unequal.contains(name)),
            ])
        }
        for name in unequal.sorted() where restored.collections[name] == nil {
            row([name, "gone", "", "", mark(false)])
        }
        row([
            "all", restored.documentCount.grouped, String(restored.indexCount), "",
            mark(unequal.isEmpty),
        ])
    }

    private func mark(_ isEqual: Bool) -> String {
        isEqual ? Terminal.green("✓") : Terminal.red("✗")
    }

    /// - Parameter cells: one for each of the five columns.
    private func row(_ cells: [String]) {
        Terminal.say(
            cells[0].padded(to: 20) + cells[1].flushRight(to: 12) + cells[2].flushRight(to: 9)
                + "  " + cells[3].padded(to: 32) + "  " + cells[4])
    }

    private func printTimings() {
        let documents = Double(original.documentCount)
        let megabytes = Double(original.byteCount) / 1e6
        for (name, seconds) in timings {
            Terminal.say(
                name.padded(to: 9) + (seconds.tenths + " s").flushRight(to: 8)
                    + (Int(documents / seconds).grouped + " documents/s").flushRight(to: 24)
                    + ((megabytes / seconds).tenths + " MB/s").flushRight(to: 16))
        }
        Terminal.say("in all".padded(to: 9) + (totalSeconds.tenths + " s").flushRight(to: 8))
    }
}
