internal import HTTPTypes
internal import Synchronization

/// How many answers that last there may be at a time, in all and for each subject.
final class StreamSlots: Sendable {
    private struct State {
        var count = 0
        var counts: [String: Int] = [:]
    }

    /// In all.
    let countMax: Int
    /// Of one subject.
    let subjectCountMax: Int
    private let state = Mutex(State())

    init(countMax: Int, subjectCountMax: Int) {
        self.countMax = countMax
        self.subjectCountMax = subjectCountMax
    }

    /// How many there are.
    var count: Int { state.withLock(\.count) }

    /// Takes a place for as long as the slot lives.
    ///
    /// - Throws: `Problem` 429 when the subject has too many, 503 when all together have.
    func take(_ subject: String) throws -> StreamSlot {
        try state.withLock { state in
            guard state.counts[subject, default: 0] < subjectCountMax else {
                throw Problem(
                    .tooManyRequests, "too_many_streams",
                    "there are \(subjectCountMax) of this subject already; close one",
                    headers: [.retryAfter: Self.retrySeconds])
            }
            guard state.count < countMax else {
                throw Problem(
                    .serviceUnavailable, "too_many_streams",
                    "there are \(countMax) already; try again later",
                    headers: [.retryAfter: Self.retrySeconds])
            }
            state.count += 1
            state.counts[subject, default: 0] += 1
        }
        return StreamSlot(slots: self, subject: subject)
    }

    private static let retrySeconds = "10"

    fileprivate func release(_ subject: String) {
        state.withLock { state in
            state.count -= 1
            let left = (state.counts[subject] ?? 1) - 1
            state.counts[subject] = left > 0 ? left : nil
        }
    }
}

/// A place among answers that last; it is free again when nobody has this any more, also when the
/// answer was never begun.
final class StreamSlot: Sendable {
    private let slots: StreamSlots
    private let subject: String

    fileprivate init(slots: StreamSlots, subject: String) {
        self.slots = slots
        self.subject = subject
    }

    deinit { slots.release(subject) }
}
