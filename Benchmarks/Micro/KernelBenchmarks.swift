import Benchmark
import Kernels

/// As many bytes of documents as a backup puts into a chunk by default.
let sampleByteCount = 4 << 20

/// Times every kernel: megabytes in a second, or nanoseconds for each of what it works through.
let benchmarks: @Sendable () -> Void = {
    for kernel in Kernel.all {
        let metric = kernel.metric
        Benchmark(
            kernel.name,
            configuration: .init(
                metrics: [metric], warmupIterations: 2, maxDuration: .seconds(1),
                maxIterations: 1000)
        ) { (benchmark, prepared: PreparedKernel) in
            let clock = ContinuousClock()
            let start = clock.now
            blackHole(try prepared.run())
            let seconds = start.duration(to: clock.now) / .seconds(1)
            benchmark.measurement(metric, kernel.value(of: prepared.amount, in: seconds))
        } setup: {
            try kernel.prepare(KernelSample(byteCount: sampleByteCount))
        }
    }
}

extension Kernel {
    /// What is told of the kernel.
    var metric: BenchmarkMetric {
        unit == .megabyte
            ? .custom("MB a second", polarity: .prefersLarger, useScalingFactor: false)
            : .custom("ns a \(unit.rawValue)", useScalingFactor: false)
    }

    /// The metric's value when `amount` of the unit took so many seconds.
    func value(of amount: Double, in seconds: Double) -> Int {
        Int((unit == .megabyte ? amount / seconds : seconds * 1e9 / amount).rounded())
    }
}
