internal import AccessControl
internal import Foundation
internal import Hummingbird
internal import HummingbirdCore
internal import HummingbirdTLS
public import Logging
internal import NIOCore
internal import NIOPosix
internal import NIOSSL
internal import ObjectStorage
public import Operations
internal import ServiceLifecycle
internal import ServiceState
public import Snapshots
internal import UnixSignals

/// The HTTP service: everything is put together here, and run until a signal ends it.
public struct CairnService: Sendable {
    private let options: ServiceOptions
    /// What endpoints reach; for tests.
    let environment: ServiceEnvironment
    /// All that can be asked; for tests.
    let endpoints: [Endpoint]
    private let jobEnvironment: JobEnvironment
    private let logger: Logger

    /// Opens state and repository, and finds jobs that a process was doing when it died: they have
    /// failed, and can be resumed.
    ///
    /// - Throws: `StateError` when another process has the state, `ObjectStorageError`,
    ///   `AccessError` for keys that can't be used.
    public init(
        _ options: ServiceOptions, environment jobEnvironment: JobEnvironment, logger: Logger
    ) async throws {
        self.options = options
        self.jobEnvironment = jobEnvironment
        self.logger = logger
        let verifier = try await TokenVerifier(keys: options.keys, rules: options.rules)
        try await verifier.prepare(now: Date())
        let store = try await FileSystemStore(folder: options.repositoryFolder, create: true)
        let state = try await StateStore(folder: options.stateFolder)
        let metrics = ServiceMetrics()
        let log = ServiceLog(logger: logger, metrics: metrics)
        let snapshots = SnapshotLibrary(
            store: store, settings: options.settings, state: state, environment: jobEnvironment,
            log: log)
        let runner = JobRunner(
            state: state, work: SnapshotWork(snapshots, environment: jobEnvironment),
            widths: options.widths, environment: jobEnvironment, log: log,
            cancelSeconds: options.cancelSeconds)
        let scheduler = Scheduler(
            state: state, runner: runner, environment: jobEnvironment, log: log)
        let statistics = ServiceStatistics(
            state: state, snapshots: snapshots, scheduler: scheduler, runner: runner,
            now: jobEnvironment.now)
        metrics.collect(statistics.sources, log)
        let streams = Self.streams(options)
        metrics.collect(streams)
        environment = ServiceEnvironment(
            state: state, runner: runner, scheduler: scheduler, snapshots: snapshots,
            statistics: statistics, trail: AuditTrail(state: state, deferred: runner.deferred),
            streams: streams,
            readiness: Readiness(
                state: state, snapshots: snapshots, verifier: verifier, runner: runner,
                cachedSeconds: options.readinessSeconds),
            metrics: metrics, verifier: verifier, permissions: .standard,
            limits: Self.limits(options), gate: AnswerGate { runner.runningCount > 0 },
            hasOpenMetrics: options.hasOpenMetrics,
            now: jobEnvironment.now)
        endpoints = Self.endpoints(environment)
        for job in try await runner.recover() {
            logger.warning(
                "a job was cut off when the process before this one died",
                metadata: ["job_id": "\(job.id)", "kind": "\(job.kind)"])
        }
    }

    private static func streams(_ options: ServiceOptions) -> ServiceEnvironment.Streams {
        ServiceEnvironment.Streams(
            events: StreamSlots(
                countMax: options.eventStreamCountMax,
                subjectCountMax: options.subjectEventStreamCountMax),
            downloads: StreamSlots(
                countMax: options.downloadCountMax,
                subjectCountMax: options.subjectDownloadCountMax))
    }

    private static func limits(_ options: ServiceOptions) -> ServiceEnvironment.Limits {
        func buckets(_ name: String, _ perMinute: Int) -> TokenBuckets {
            TokenBuckets(RateLimitPolicy(name: name, capacity: perMinute, windowSeconds: 60))
        }
        return ServiceEnvironment.Limits(
            subjects: buckets("subject", options.subjectRequestsPerMinute),
            addresses: buckets("address", options.addressRequestsPerMinute),
            failures: buckets("authentication", options.refusedTokensPerMinute),
            bodyByteCountMax: options.bodyByteCountMax, bodySecondsMax: options.bodySecondsMax,
            handlingSecondsMax: options.handlingSecondsMax)
    }

    private static func endpoints(_ environment: ServiceEnvironment) -> [Endpoint] {
        let main =
            BackupEndpoints(environment: environment).all
            + ScheduleEndpoints(environment: environment).all
            + JobEndpoints(environment: environment).all
        // The document describes the root's endpoints too, those that serve it among them.
        func root(_ documentation: Documentation) -> [Endpoint] {
            RootEndpoints(environment: environment, documentation: documentation).all
        }
        let described = main + root(Documentation([], version: ""))
        return main + root(Documentation(described, version: Tool.description))
    }

    // MARK: Running it

    /// Jobs that did not end when they were told to, and go on until the process ends.
    public var stuckJobs: [StuckJob] { environment.runner.stuckJobs }
    /// The status with which a process ends that has such jobs in it.
    public static let gaveUpStatus = ShutdownWatch.gaveUpStatus

    /// Serves until SIGTERM or SIGINT; then requests that are being answered are finished, jobs
    /// given the time that they have, and the state is closed. When that does not end, the process
    /// does: see `ShutdownWatch`.
    ///
    /// - Parameter started: is called with the port once connections are taken.
    public func run(_ started: @escaping @Sendable (Int) async -> Void) async throws {
        defer { environment.state.close() }
        let runner = environment.runner
        let threads = RequestThreads(
            count: System.coreCount, niceness: options.requestNiceness)
        environment.gate.limit(to: options.requestShare, of: threads)
        let answering = AnsweringService(
            application: try application(on: threads.group, started), threads: threads)
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: services + [answering],
                gracefulShutdownSignals: [.sigterm, .sigint], logger: logger))
        let watch = ShutdownWatch(runner, graceSeconds: options.graceSeconds, logger: logger)
        do {
            try await watch.whileWatching { try await group.run() }
        } catch {
            try await threads.end()
            throw error
        }
        try await threads.end()
    }

    /// The part that answers, without a process around it: for tests.
    func application(
        on group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton,
        _ started: @escaping @Sendable (Int) async -> Void = { _ in }
    ) throws -> Application<RouterResponder<ServiceContext>> {
        let makeRequestID = makeRequestID
        let (metrics, logger, writeSecondsMax) =
            (environment.metrics, logger, options.writeSecondsMax)
        let channel = HTTPServerBuilder.http1(
            configuration: HTTP1Channel.Configuration(
                additionalChannelHandlers: [
                    StalledAnswerHandler(seconds: writeSecondsMax) { address in
                        metrics.stalled()
                        logger.notice(
                            "a client took nothing of its answer and was cut off",
                            metadata: ["address": "\(address)"])
                    },
                    UnreadRequestHandler(),
                    UnparsedRequestHandler(
                        logger: logger, metrics: metrics, makeRequestID: makeRequestID),
                ],
                idleTimeout: .seconds(Int64(options.idleSecondsMax)),
                httpDecoderConfiguration: .init(
                    maxHeaderFieldSize: 32 * 1024, maxHeaderListSize: 32 * 1024,
                    maxHeaderFieldCount: 100)))
        return Application(
            responder: router.buildResponder(),
            server: try options.tls.map { try .tls(channel, tlsConfiguration: $0.configuration()) }
                ?? channel,
            configuration: ApplicationConfiguration(
                address: .hostname(options.host, port: options.port), backlog: 4096,
                availableConnectionsDelegate: MaximumAvailableConnections(
                    options.connectionCountMax)),
            onServerRunning: { channel in await started(channel.localAddress?.port ?? 0) },
            eventLoopGroupProvider: .shared(group), logger: logger)
    }

    /// What runs beside the answering.
    var services: [any Service] {
        [
            JobService(runner: environment.runner, graceSeconds: options.graceSeconds),
            SchedulerService(scheduler: environment.scheduler),
        ]
    }

    /// Makes names for requests whose clients have none.
    private var makeRequestID: @Sendable () -> String {
        let random = jobEnvironment.random
        return { String(random(), radix: 16) }
    }

    private var router: Router<ServiceContext> {
        let router = Router(
            context: ServiceContext.self, options: .autoGenerateHeadEndpoints)
        router.add(
            middleware: RequestFrame(
                routes: RouteTable(endpoints), metrics: environment.metrics,
                isSecure: options.tls != nil, proxies: TrustedProxies(options.trustedProxies),
                makeRequestID: makeRequestID))
        for endpoint in endpoints {
            let pipeline = EndpointPipeline(environment: environment, endpoint: endpoint)
            router.on(RouterPath(endpoint.path), method: endpoint.method) { request, context in
                await pipeline.respond(request, context)
            }
        }
        return router
    }
}

extension ServiceOptions.TLSFiles {
    /// What they say to the library.
    ///
    /// - Throws: `JobFailure` with `tls` that names the file.
    fileprivate func configuration() throws -> TLSConfiguration {
        let chain = try naming("the certificate's file \(certificate) can't be used") {
            try NIOSSLCertificate.fromPEMFile(certificate)
        }
        let privateKey = try naming("the key's file \(key) can't be used; is it PEM?") {
            try NIOSSLPrivateKey(file: key, format: .pem)
        }
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(privateKey))
        configuration.minimumTLSVersion = .tlsv12
        _ = try naming("the key in \(key) is not that of the certificate in \(certificate)") {
            try NIOSSLContext(configuration: configuration)
        }
        return configuration
    }

    private func naming<Value>(_ what: String, _ body: () throws -> Value) throws -> Value {
        do {
            return try body()
        } catch {
            throw JobFailure("tls", "\(what) (\(error))")
        }
    }
}

/// The answering, on threads of its own.
private struct AnsweringService<Application: ApplicationProtocol>: Service {
    let application: Application
    let threads: RequestThreads

    func run() async throws {
        try await withTaskExecutorPreference(threads) { try await application.run() }
    }
}

/// Jobs, for as long as the service runs, and what they are given when it ends.
private struct JobService: Service {
    let runner: JobRunner
    let graceSeconds: Double

    func run() async throws {
        await withGracefulShutdownHandler {
            await runner.run(graceSeconds: graceSeconds)
        } onGracefulShutdown: {
            runner.beginShutdown()
        }
        // Jobs are told of a signal at once, and may have ended before the answers have; whoever
        // ends before its turn has failed.
        do { try await gracefulShutdown() } catch {}
    }
}

/// The schedule, for as long as the service runs.
private struct SchedulerService: Service {
    let scheduler: Scheduler

    func run() async throws {
        await cancelWhenGracefulShutdown { await scheduler.run() }
    }
}
