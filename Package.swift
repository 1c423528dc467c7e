// swift-tools-version: 6.1
import PackageDescription

let swiftSettings: [SwiftSetting] = [
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

/// A system library found through pkg-config; the Debian package is what `Scripts/setup` installs.
func system(_ name: String, _ pkgConfig: String, _ debian: String) -> Target {
    .systemLibrary(name: name, pkgConfig: pkgConfig, providers: [.apt([debian])])
}

func module(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: swiftSettings)
}

func executable(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(name: name, dependencies: dependencies, swiftSettings: swiftSettings)
}

/// What only development needs, in a folder of its own.
func development(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(
        name: name, dependencies: dependencies, path: "Development/\(name)",
        swiftSettings: swiftSettings)
}

func tests(
    _ name: String, _ dependencies: [Target.Dependency], exclude: [String] = [],
    resources: [Resource] = []
) -> Target {
    .testTarget(
        name: name, dependencies: dependencies, exclude: exclude, resources: resources,
        swiftSettings: swiftSettings)
}

let package = Package(
    name: "cairn",
    products: [
        // For the package in Benchmarks/Micro.
        .library(name: "Kernels", targets: ["Kernels"])
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-extras.git", from: "1.34.1"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(
            url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/vapor/jwt-kit", from: "5.7.1"),
    ],
    targets: [
        system("CMongoC", "libmongoc-1.0", "libmongoc-dev"),
        system("CISAL", "libisal", "libisal-dev"),
        system("CDeflate", "libdeflate", "libdeflate-dev"),
        system("CZlib", "zlib", "zlib1g-dev"),
        system("CZstd", "libzstd", "libzstd-dev"),
        system("CLZ4", "liblz4", "liblz4-dev"),
        system("CXXHash", "libxxhash", "libxxhash-dev"),
        system("CCrypto", "libcrypto", "libssl-dev"),
        system("CPCRE2", "libpcre2-8", "libpcre2-dev"),
        // What the module of glibc that comes with Swift leaves out.
        .systemLibrary(name: "CGlibc"),

        module("BSONBytes", ["CXXHash"]),
        module("CivilCalendar"),
        module("ExtendedJSON", ["BSONBytes", "CivilCalendar"]),
        module("DocumentQuery", ["BSONBytes", "CGlibc", "CPCRE2"]),
        module("BlockingCalls"),
        module("StandardStreams"),
        module("ProcessMemory", ["CGlibc"]),
        module(
            "ArchiveFormat",
            ["BSONBytes", "ExtendedJSON", "CISAL", "CDeflate", "CZlib", "CZstd", "CLZ4", "CCrypto"]),
        module("ArchiveEngine", ["ArchiveFormat", "BSONBytes"]),
        module("ObjectStorage", ["BlockingCalls", "CGlibc"]),
        module("MongoDriver", ["BSONBytes", "BlockingCalls", "CMongoC"]),
        module(
            "Snapshots",
            [
                "ArchiveEngine", "ArchiveFormat", "BSONBytes", "CivilCalendar", "DocumentQuery",
                "ExtendedJSON", "MongoDriver", "ObjectStorage",
            ]),
        module(
            "SnapshotJSON",
            ["ArchiveEngine", "ArchiveFormat", "BSONBytes", "ExtendedJSON", "Snapshots"]),
        module(
            "CairnCommand",
            [
                "ArchiveEngine", "ArchiveFormat", "BSONBytes", "DocumentQuery", "ExtendedJSON",
                "MongoDriver", "ObjectStorage", "SnapshotJSON", "Snapshots", "StandardStreams",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),
        .executableTarget(
            name: "cairn", dependencies: ["CairnCommand", "ProcessMemory", "StandardStreams"],
            swiftSettings: swiftSettings),
        module("CronSchedule", ["CivilCalendar"]),
        module(
            "ServiceState", ["ArchiveFormat", .product(name: "GRDB", package: "GRDB.swift")]),
        module(
            "AccessControl",
            [
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "JWTKit", package: "jwt-kit"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ]),
        module(
            "PrometheusMetrics", [.product(name: "CoreMetrics", package: "swift-metrics")]),
        module(
            "Operations",
            [
                "ArchiveEngine", "ArchiveFormat", "BSONBytes", "CronSchedule", "ExtendedJSON",
                "MongoDriver", "ObjectStorage", "ServiceState", "SnapshotJSON", "Snapshots",
            ]),
        module(
            "HTTPService",
            [
                "AccessControl", "ArchiveFormat", "BlockingCalls", "ExtendedJSON", "MongoDriver",
                "ObjectStorage", "Operations", "PrometheusMetrics", "ServiceState",
                "SnapshotJSON", "Snapshots",
                .product(name: "CoreMetrics", package: "swift-metrics"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "HummingbirdTLS", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
                .product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ]),
        module(
            "ServerCommand",
            [
                "AccessControl", "HTTPService", "MongoDriver", "ObjectStorage", "Operations",
                "ServiceState", "SnapshotJSON", "Snapshots", "StandardStreams",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ]),
        executable("cairn-server", ["ProcessMemory", "ServerCommand", "StandardStreams"]),

        development("SampleData", ["BSONBytes"]),
        development("PrivateServer", ["BSONBytes", "BlockingCalls", "MongoDriver"]),
        .executableTarget(
            name: "cairn-demo",
            dependencies: [
                "ArchiveEngine", "BSONBytes", "BlockingCalls", "MongoDriver", "PrivateServer",
                "SampleData", "StandardStreams",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ], path: "Development/cairn-demo", swiftSettings: swiftSettings),
        development("Kernels", ["ArchiveFormat", "BSONBytes", "SampleData"]),
        // Rounding is the C library's; programs that have Foundation link it anyway.
        .executableTarget(
            name: "cairn-kernels", dependencies: ["Kernels"], path: "Development/cairn-kernels",
            swiftSettings: swiftSettings, linkerSettings: [.linkedLibrary("m")]),

        tests("BSONBytesTests", ["BSONBytes"]),
        tests("ArchiveFormatTests", ["ArchiveFormat", "BSONBytes"]),
        tests("ArchiveEngineTests", ["ArchiveEngine", "ArchiveFormat", "BSONBytes"]),
        tests("ExtendedJSONTests", ["ExtendedJSON", "BSONBytes"]),
        tests("DocumentQueryTests", ["BSONBytes", "DocumentQuery", "ExtendedJSON"]),
        tests("ObjectStorageTests", ["ObjectStorage"]),
        tests("SampleDataTests", ["SampleData", "BSONBytes"]),
        tests(
            "SnapshotsTests",
            [
                "ArchiveEngine", "ArchiveFormat", "BSONBytes", "DocumentQuery", "ExtendedJSON",
                "MongoDriver", "ObjectStorage", "PrivateServer", "SampleData", "Snapshots",
            ]),
        tests(
            "CairnCommandTests",
            [
                "ArchiveFormat", "BSONBytes", "CairnCommand", "MongoDriver", "ObjectStorage",
                "SampleData", "SnapshotJSON", "Snapshots",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            exclude: ["Golden"]),
        tests(
            "SnapshotJSONTests", ["ArchiveFormat", "BSONBytes", "SnapshotJSON", "Snapshots"]),
        tests("PrivateServerTests", ["BSONBytes", "MongoDriver", "PrivateServer"]),
        tests(
            "ServerCommandTests",
            [
                "AccessControl", "HTTPService", "Operations", "ServerCommand", "Snapshots",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),
        tests(
            "AccessControlTests",
            [
                "AccessControl",
                .product(name: "CryptoExtras", package: "swift-crypto"),
                .product(name: "JWTKit", package: "jwt-kit"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ]),
        tests(
            "PrometheusMetricsTests",
            ["PrometheusMetrics", .product(name: "CoreMetrics", package: "swift-metrics")]),
        tests("CivilCalendarTests", ["CivilCalendar"]),
        tests("CronScheduleTests", ["CronSchedule"]),
        tests(
            "ServiceStateTests",
            ["ServiceState", .product(name: "GRDB", package: "GRDB.swift")]),
        tests("OperationsTests", ["ObjectStorage", "Operations", "ServiceState", "Snapshots"]),
        tests(
            "HTTPServiceTests",
            [
                "AccessControl", "BSONBytes", "ExtendedJSON", "HTTPService", "MongoDriver",
                "ObjectStorage", "Operations", "PrivateServer", "SampleData", "ServiceState",
                "SnapshotJSON", "Snapshots",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "HummingbirdTesting", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ]),
        tests("TidyTests", []),
        tests("MongoDriverTests", ["BSONBytes", "MongoDriver", "PrivateServer"]),
    ]
)
