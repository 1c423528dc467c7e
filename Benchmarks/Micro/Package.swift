// swift-tools-version: 6.1
import PackageDescription

// A package of its own, so that nobody who builds or tests Cairn builds the benchmark package.
let package = Package(
    name: "cairn-micro",
    dependencies: [
        .package(name: "cairn", path: "../.."),
        // Without its traits, which only count allocations.
        .package(url: "https://github.com/ordo-one/benchmark", from: "1.38.1", traits: []),
    ],
    targets: [
        .executableTarget(
            name: "Micro",
            dependencies: [
                .product(name: "Kernels", package: "cairn"),
                .product(name: "Benchmark", package: "benchmark"),
            ],
            // The benchmark package takes only targets right below a folder "Benchmarks".
            path: ".",
            swiftSettings: [
                .enableUpcomingFeature("ExistentialAny"),
                .enableUpcomingFeature("MemberImportVisibility"),
            ],
            plugins: [.plugin(name: "BenchmarkPlugin", package: "benchmark")])
    ]
)
