internal import SnapshotJSON
internal import Snapshots
internal import Synchronization

/// Takes down what a job tells, until it is written to the records: jobs must not wait for those.
final class JobProgressLog: JobObserver, Sendable {
    /// Notices that are kept between two writings; a job that has more to say says how many.
    static let noticeCountMax = 1000

    private struct State {
        var progress: JobProgress?
        var isChanged = false
        var notices: [String] = []
        var lostNoticeCount = 0
    }

    private let state = Mutex(State())
    private let log: any OperationsLog
    /// The job's name.
    let job: String

    /// - Parameter log: is told what a job notices, so that operators see it too.
    init(_ log: any OperationsLog, job: String) {
        self.log = log
        self.job = job
    }

    func progressed(_ progress: JobProgress) {
        state.withLock { state in
            var latest = progress
            // It tells of no documents any more, and they are not undone by that.
            if progress.phase == .publishing, let before = state.progress {
                latest.documentCount = before.documentCount
                latest.byteCount = before.byteCount
                latest.byteCountTotal = before.byteCountTotal
            }
            state.progress = latest
            state.isChanged = true
        }
    }

    func noticed(_ message: String) {
        let message = ServiceWords.inFields(message)
        log.noticed(message, job: job)
        state.withLock { state in
            guard state.notices.count < Self.noticeCountMax else {
                state.lostNoticeCount += 1
                return
            }
            state.notices.append(message)
        }
    }

    /// Whether it puts live data in place.
    var isCommitting: Bool { state.withLock { $0.progress?.isCommit ?? false } }

    /// What the job was last seen to do; nil when it has told nothing.
    var phase: String? { state.withLock { $0.progress?.phase.rawValue } }

    /// What is new since the last call: progress as JSON, or nil, and notices.
    func take() -> (progress: String?, notices: [String]) {
        state.withLock { state in
            let progress = state.isChanged ? state.progress.map(Self.json) : nil
            var notices = state.notices
            if state.lostNoticeCount > 0 {
                notices.append("\(state.lostNoticeCount) more notices were left out")
            }
            state.isChanged = false
            state.notices = []
            state.lostNoticeCount = 0
            return (progress, notices)
        }
    }

    private static func json(_ progress: JobProgress) -> String {
        let share = progress.byteCountTotal.map { total in
            total == 0 ? 1 : min(1, Double(progress.byteCount) / Double(total))
        }
        return JSONValue.object([
            "phase": .string(progress.phase.rawValue),
            "documents": .count(progress.documentCount),
            "bytes": .count(progress.byteCount),
            "bytes_total": progress.byteCountTotal.map { .count($0) } ?? .null,
            "share": share.map { .decimal($0) } ?? .null,
            "subject": .optional(progress.subject),
        ]).text
    }
}
