internal import Foundation
internal import Operations
internal import Synchronization
internal import Testing

@testable internal import HTTPService

/// Values for monitors whose sources fail or hang.
@Suite(.timeLimit(.minutes(2))) struct GaugeTests {
    @Test func aRepositoryThatIsGoneTakesNoOtherValuesAlong() async throws {
        let fixture = try await ServiceFixture.withoutServer()
        try await fixture.serve(doesJobs: false) { client in
            let before = try await client.get("/metrics").text
            #expect(before.contains("cairn_repository_stored_bytes"))
            #expect(before.contains(#"cairn_metrics_source_up{source="repository"} 1"#))
            try FileManager.default.removeItem(atPath: fixture.options.repositoryFolder)
            let after = try await client.get("/metrics").text
            #expect(!after.contains("cairn_repository_stored_bytes"))
            #expect(after.contains(#"cairn_metrics_source_up{source="repository"} 0"#))
            for name in ["cairn_jobs_waiting", "cairn_jobs_running", "cairn_pool_connections"] {
                #expect(after.contains(name), "\(name)")
            }
        }
    }

    @Test func aSourceThatHangsIsLeftOutAndNotReadAgain() async throws {
        let gate = AsyncStream.makeStream(of: Never.self)
        let readCount = Atomic<Int>(0)
        let source = ServiceStatistics.Source(name: "far") {
            readCount.wrappingAdd(1, ordering: .relaxed)
            for await _ in gate.stream {}
            return [MonitoredValue("cairn_far", "", 1)]
        }
        let reading = GaugeReading(
            source, ServiceLog(logger: LogCapture().logger, metrics: ServiceMetrics()))
        for _ in 0..<3 {
            let samples = await reading.samples()
            #expect(samples.map(\.value) == [0])
        }
        #expect(readCount.load(ordering: .relaxed) == 1)
        gate.continuation.finish()
        while await reading.samples().count < 2 { await Task.yield() }
    }
}
