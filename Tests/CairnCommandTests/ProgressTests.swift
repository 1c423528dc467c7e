import Snapshots
import Synchronization
import Testing

@testable import CairnCommand

@Suite struct ProgressLineTests {
    private func line(_ seconds: Double = 10) -> ProgressLine {
        var progress = JobProgress(
            phase: .reading, byteCountTotal: 200_000_000, subject: "shop.orders")
        progress.documentCount = 90_000
        progress.byteCount = 90_000_000
        return ProgressLine(progress: progress, seconds: seconds)
    }

    @Test func aBarSaysEverything() {
        #expect(
            line().bar(columnCount: 120)
                == "reading  [##########--------------]  45 %  90,000 documents  9.0 MB/s  9,000/s"
                + "  13 s to go  shop.orders")
    }

    @Test(arguments: 1...130)
    func aBarFits(columnCount: Int) {
        #expect(line().bar(columnCount: columnCount).count < columnCount)
    }

    @Test func aSentenceSaysTheSame() {
        #expect(
            line().sentence
                == "reading, 45 %, 90,000 documents, 9.0 MB/s, 9,000/s, 13 s to go, shop.orders")
    }

    @Test func theEndIsNotAnnouncedTooEarly() {
        var progress = JobProgress(phase: .reading, byteCountTotal: 10)
        progress.byteCount = 20
        #expect(ProgressLine(progress: progress, seconds: 1).fraction == 0.99)
    }

    @Test func aPhaseWithoutCountsNamesItsSubject() {
        let progress = JobProgress(phase: .comparing, subject: "shop.a\u{1B}b")
        let line = ProgressLine(progress: progress, seconds: 0)
        #expect(line.bar(columnCount: 80) == "comparing  shop.a\\u{1b}b")
        #expect(line.sentence == "comparing shop.a\\u{1b}b")
    }
}

@Suite struct ProgressDisplayTests {
    /// A clock that a test sets, and what was written.
    private final class Scene: Sendable {
        private let state = Mutex((now: 100.0, text: ""))

        func display(_ style: ProgressDisplay.Style) -> ProgressDisplay {
            ProgressDisplay(
                style, now: { [self] in state.withLock { $0.now } },
                write: { [self] text in state.withLock { $0.text += text } })
        }

        func pass(_ seconds: Double) { state.withLock { $0.now += seconds } }
        func taken() -> String {
            state.withLock { state in
                defer { state.text = "" }
                return state.text
            }
        }
    }

    private let progress = JobProgress(phase: .publishing)

    @Test func aBarIsRedrawnTenTimesASecondAndErased() {
        let scene = Scene()
        let display = scene.display(.bar(columnCount: { 80 }))
        display.progressed(progress)
        #expect(scene.taken() == "\r\u{1B}[Kpublishing")
        scene.pass(0.05)
        display.progressed(progress)
        #expect(scene.taken() == "")
        scene.pass(0.06)
        display.progressed(progress)
        #expect(scene.taken() == "\r\u{1B}[Kpublishing")
        display.noticed("look\n")
        #expect(scene.taken() == "\r\u{1B}[Kcairn: note: look\\n\n")
        display.finish()
        #expect(scene.taken() == "")
    }

    @Test func linesComeEveryFewSeconds() {
        let scene = Scene()
        let display = scene.display(.lines)
        display.progressed(progress)
        scene.pass(4.9)
        display.progressed(progress)
        #expect(scene.taken() == "")
        scene.pass(0.2)
        display.progressed(progress)
        #expect(scene.taken() == "cairn: publishing\n")
        display.finish()
        #expect(scene.taken() == "")
    }

    @Test func silenceIsKept() {
        let scene = Scene()
        let display = scene.display(.silent)
        scene.pass(10)
        display.progressed(progress)
        display.noticed("look")
        display.finish()
        #expect(scene.taken() == "")
    }
}
