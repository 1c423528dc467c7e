internal import Snapshots
internal import Synchronization

/// Shows on standard error how a job comes along: a bar that is redrawn on a terminal, a line every
/// few seconds otherwise, or nothing.
final class ProgressDisplay: JobObserver {
    /// How progress is shown.
    enum Style: Sendable {
        case silent
        case lines
        /// One line that is written over, so many columns wide.
        case bar(columnCount: @Sendable () -> Int)
    }

    /// Whether live data is being put in place. Waits for nothing.
    var isCommitting: Bool { commit.load(ordering: .relaxed) }

    private let commit = Atomic<Bool>(false)

    private struct State {
        var phase: JobProgress.Phase?
        var phaseStart = 0.0
        var lastDrawn: Double
        var isBarShown = false
    }

    private static let secondsBetweenBars = 0.1
    private static let secondsBetweenLines = 5.0
    private static let eraseLine = "\r\u{1B}[K"

    private let style: Style
    private let now: @Sendable () -> Double
    private let write: @Sendable (String) -> Void
    private let state: Mutex<State>

    /// - Parameters:
    ///   - now: seconds on a clock that never goes back.
    ///   - write: takes text for standard error; called by one thread at a time.
    init(
        _ style: Style, now: @escaping @Sendable () -> Double,
        write: @escaping @Sendable (String) -> Void
    ) {
        self.style = style
        self.now = now
        self.write = write
        state = Mutex(State(lastDrawn: now()))
    }

    func progressed(_ progress: JobProgress) {
        commit.store(progress.isCommit, ordering: .relaxed)
        state.withLock { state in
            let now = now()
            if state.phase != progress.phase {
                (state.phase, state.phaseStart) = (progress.phase, now)
            }
            let line = ProgressLine(progress: progress, seconds: now - state.phaseStart)
            switch style {
            case .silent:
                return
            case .lines:
                guard now - state.lastDrawn >= Self.secondsBetweenLines else { return }
                write("cairn: \(line.sentence)\n")
            case .bar(let columnCount):
                guard !state.isBarShown || now - state.lastDrawn >= Self.secondsBetweenBars else {
                    return
                }
                write(Self.eraseLine + line.bar(columnCount: columnCount()))
                state.isBarShown = true
            }
            state.lastDrawn = now
        }
    }

    func noticed(_ message: String) {
        state.withLock { state in
            if case .silent = style { return }
            erase(&state)
            write("cairn: note: \(Formatting.visible(message))\n")
        }
    }

    /// Removes the bar; what comes next starts on a clean line.
    func finish() {
        state.withLock { erase(&$0) }
    }

    private func erase(_ state: inout State) {
        guard state.isBarShown else { return }
        write(Self.eraseLine)
        state.isBarShown = false
    }
}
