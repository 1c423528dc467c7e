import Snapshots
import Synchronization
import Testing

@testable import CairnCommand

/// How long a cancelled command may take.
@Suite struct CancelDeadlineTests {
    private final class Scene: Sendable {
        let isCommitting = Atomic<Bool>(false)
        let waitCount = Atomic<Int>(0)

        var notices: SignalNotices {
            SignalNotices(
                cancelling: {}, isCommitting: { self.isCommitting.load(ordering: .relaxed) },
                waiting: { self.waitCount.wrappingAdd(1, ordering: .relaxed) }, stopping: { _ in })
        }
    }

    /// After how many seconds it is over.
    private func end(_ deadline: CancelDeadline, _ body: (Int) -> Void = { _ in }) -> Int {
        for second in 1...100_000 {
            body(second)
            if deadline.isOver(afterSeconds: 1) { return second }
        }
        return .max
    }

    @Test func whatEndsAtNoneOfBothIsStoppedSoon() {
        let scene = Scene()
        #expect(end(CancelDeadline(scene.notices, secondsMax: 20)) == 20)
        #expect(scene.waitCount.load(ordering: .relaxed) == 0)
    }

    @Test func whatIsPutInPlaceIsWaitedForAndThenTheTimeBeginsAnew() async {
        let scene = Scene()
        scene.isCommitting.store(true, ordering: .relaxed)
        let deadline = CancelDeadline(scene.notices, secondsMax: 20)
        let second = end(deadline) { second in
            if second == 100 { scene.isCommitting.store(false, ordering: .relaxed) }
        }
        #expect(second == 119)
        while scene.waitCount.load(ordering: .relaxed) == 0 { await Task.yield() }
        #expect(scene.waitCount.load(ordering: .relaxed) == 1)
    }

    @Test func nothingIsWaitedForWithoutAnEnd() {
        let scene = Scene()
        scene.isCommitting.store(true, ordering: .relaxed)
        let second = end(CancelDeadline(scene.notices, secondsMax: 20))
        #expect(Double(second) == JobProgress.commitSecondsMax)
    }
}
