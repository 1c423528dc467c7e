import Foundation
import ObjectStorage
import Testing

@Suite(.serialized) struct PipeTests {
    init() { signal(SIGPIPE, SIG_IGN) }

    @Test func bytesComeThroughAPipeInOrder() async throws {
        let (reading, writing) = try makePipe()
        let bytes = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        async let received = readAll(reading)
        let sink = PipeUpload(descriptor: writing, name: "test pipe")
        try await sink.write(Array(bytes[..<10]))
        try await sink.write([])
        try await sink.write(Array(bytes[10...]))
        try await sink.finish()
        #expect(await sink.byteCount == 300_000)
        close(writing)
        #expect(try await received == bytes)
        close(reading)
    }

    @Test func aReaderThatIsGoneIsAnErrorForGood() async throws {
        let (reading, writing) = try makePipe()
        defer { close(writing) }
        close(reading)
        let sink = PipeUpload(descriptor: writing, name: "test pipe")
        #expect(await codeThrown { try await sink.write([1]) } == .brokenPipe)
        #expect(await codeThrown { try await sink.write([]) } == .brokenPipe)
        #expect(await codeThrown { try await sink.finish() } == .brokenPipe)
        #expect(await sink.byteCount == 0)
    }

    @Test func aFullDeviceIsAnError() async throws {
        let device = open("/dev/full", O_WRONLY)
        defer { close(device) }
        let sink = PipeUpload(descriptor: device, name: "/dev/full")
        #expect(await codeThrown { try await sink.write([1]) } == .noSpace)
    }

    @Test func outputRedirectedIntoAFileArrives() async throws {
        let folder = try TemporaryFolder()
        let file = open(folder.path + "/out", O_RDWR | O_CREAT, 0o600)
        defer { close(file) }
        let sink = PipeUpload(descriptor: file, name: "standard output")
        try await sink.write([UInt8](repeating: 5, count: 70_000))
        try await sink.finish()
        lseek(file, 0, SEEK_SET)
        #expect(try await readAll(file) == [UInt8](repeating: 5, count: 70_000))
    }

    @Test func aStuckPipeCanBeCancelled() async throws {
        let (reading, writing) = try makePipe()
        defer {
            close(reading)
            close(writing)
        }
        let reader = Task {
            _ = try await PipeStream(descriptor: reading, name: "test pipe").read(upTo: 10)
        }
        reader.cancel()
        await #expect(throws: CancellationError.self) { try await reader.value }
        let (other, full) = try makePipe()
        defer {
            close(other)
            close(full)
        }
        let sink = PipeUpload(descriptor: full, name: "test pipe")
        let writer = Task { try await sink.write([UInt8](repeating: 0, count: 10_000_000)) }
        var waiting: Int32 = 0
        while waiting < 60_000 {
            await Task.yield()
            _ = ioctl(other, UInt(FIONREAD), &waiting)
        }
        writer.cancel()
        await #expect(throws: CancellationError.self) { try await writer.value }
        // Half of a run of bytes has gone out, so the sink is of no use any more.
        await #expect(throws: CancellationError.self) { try await sink.write([1]) }
    }

    private func makePipe() throws -> (reading: Int32, writing: Int32) {
        var ends: [Int32] = [-1, -1]
        try #require(pipe(&ends) == 0)
        // Tests beside this one start processes, which must not hold an end of it.
        for end in ends { try #require(fcntl(end, F_SETFD, FD_CLOEXEC) == 0) }
        return (ends[0], ends[1])
    }

    private func readAll(_ descriptor: Int32) async throws -> [UInt8] {
        let source = PipeStream(descriptor: descriptor, name: "test pipe")
        var bytes: [UInt8] = []
        while true {
            let run = try await source.read(upTo: 5000)
            if run.isEmpty { return bytes }
            bytes += run
        }
    }
}
