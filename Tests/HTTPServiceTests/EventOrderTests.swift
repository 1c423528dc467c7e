internal import Foundation
internal import Hummingbird
internal import NIOCore
internal import ServiceState
internal import Synchronization
internal import Testing

@testable internal import HTTPService
@testable internal import Operations

/// Streams of events of which their followers hear in another order than they were written in.
@Suite(.timeLimit(.minutes(2))) struct EventOrderTests {
    /// What is written, for others to look at meanwhile.
    private final class Recorder: Sendable {
        private let written = Mutex("")
        var text: String { written.withLock { $0 } }
        func add(_ piece: String) { written.withLock { $0 += piece } }
    }

    private struct RecordingWriter: ResponseBodyWriter {
        let recorder: Recorder
        mutating func write(_ buffer: ByteBuffer) async throws {
            recorder.add(String(buffer: buffer))
        }
        consuming func finish(_ trailingHeaders: HTTPFields?) async throws {}
    }

    @Test(arguments: [[0, 1, 2, 3], [1, 0, 2, 3], [3, 2, 1, 0], [2, 3, 0, 1], [0, 3, 1, 2]])
    func noneIsLost(_ order: [Int]) async throws {
        let folder = NSTemporaryDirectory() + "cairn-events-\(UUID().uuidString)"
        let state = try await StateStore(folder: folder)
        defer { state.close() }
        let job = "job-1"
        try await state.insertJob(
            JobRecord(id: job, kind: "backup", createdBy: "ann", createdAt: 1, request: "{}"))
        let signals = JobSignals()
        let recorder = Recorder()
        let stream = JobEventStream(
            job: job, after: 0, expiresAt: nil, now: { Date() }, state: state, signals: signals)
        async let done: Void = stream.write(
            to: BodyWriter(RecordingWriter(recorder: recorder)))
        let first = try await state.appendEvents(
            jobID: job, [JobEventDraft(type: "notice", data: "\"first\"")], at: 2)
        signals.notify(job, first[0])
        while !recorder.text.contains("first") { await Task.yield() }
        var events = try await state.appendEvents(
            jobID: job, (0..<3).map { JobEventDraft(type: "notice", data: "\"event-\($0)\"") },
            at: 3)
        let (_, last) = try await state.changeJob(
            job, JobUpdate(status: .canceled),
            event: JobEventDraft(type: "status", data: "\"end\""),
            at: 4
        ) { _ in nil }
        events.append(try #require(last))
        for position in order {
            signals.notify(job, events[position], isLast: position == 3)
            // So that each is written, or passed over, by itself.
            for _ in 0..<50 { await Task.yield() }
        }
        try await done
        let found = ServerEvent.all(recorder.text)
        #expect(
            found.map(\.data)
                == ["first", "event-0", "event-1", "event-2", "end"].map { "\"\($0)\"" })
        #expect(found.map(\.id) == found.map(\.id).sorted())
    }
}
