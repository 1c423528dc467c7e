internal import AccessControl
internal import HTTPTypes
internal import SnapshotJSON

/// What operators, monitors and readers look at.
struct RootEndpoints: Sendable {
    static let group = "Service"

    let environment: ServiceEnvironment
    /// The OpenAPI document and its page for readers, made of all endpoints.
    let documentation: Documentation

    var all: [Endpoint] { [health, readiness, metrics, document, page] }

    private var health: Endpoint {
        Endpoint(
            method: .get, path: "/healthz", id: "health", group: Self.group,
            summary: "Whether the process answers.", access: .open,
            replies: [
                .json(.ok, .object([.required("status", .word("ok"))]), "It does.")
            ], isUnlimited: true
        ) { _ in
            .json(.object(["status": .string("ok")]), headers: [.cacheControl: "no-store"])
        }
    }

    private static let check = Schema.object([
        .required("name", .text), .required("ready", .boolean),
        .required("code", .nullable(.text).saying("Why not.")),
    ])

    private var readiness: Endpoint {
        let shape = Schema.object([
            .required("ready", .boolean), .required("checks", .array(Self.check, countMax: 100)),
        ])
        return Endpoint(
            method: .get, path: "/readyz", id: "readiness", group: Self.group,
            summary: "Whether backups and restores can be made.", access: .open,
            replies: [
                .json(.ok, shape, "All is there."),
                .json(.serviceUnavailable, shape, "Something is missing."),
            ], isUnlimited: true
        ) { _ in
            let checks = await environment.readiness.checks()
            let isReady = checks.allSatisfy(\.isReady)
            return .json(
                .object([
                    "ready": .bool(isReady),
                    "checks": .array(
                        checks.map { check in
                            .object([
                                "name": .string(check.name), "ready": .bool(check.isReady),
                                "code": .optional(check.code),
                            ])
                        }),
                ]),
                isReady ? .ok : .serviceUnavailable, headers: [.cacheControl: "no-store"])
        }
    }

    private var metrics: Endpoint {
        Endpoint(
            method: .get, path: "/metrics", id: "metrics", group: Self.group,
            summary: "Counters and gauges for Prometheus.",
            details: "Needs a token, unless the service was started with --open-metrics.",
            access: environment.hasOpenMetrics ? .open : .permitted(.scalabilityRead),
            replies: [
                .other(.ok, "text/plain; version=0.0.4; charset=utf-8", "The text format.")
            ]
        ) { _ in
            .text(
                await environment.metrics.text(),
                type: "text/plain; version=0.0.4; charset=utf-8")
        }
    }

    private var document: Endpoint {
        Endpoint(
            method: .get, path: "/openapi.json", id: "openapi", group: Self.group,
            summary: "This interface as an OpenAPI 3.1 document.", access: .open,
            replies: [.json(.ok, .map(.any), "The document.")]
        ) { _ in
            .text(documentation.text, type: "application/json")
        }
    }

    private var page: Endpoint {
        Endpoint(
            method: .get, path: "/docs", id: "docs", group: Self.group,
            summary: "This interface as a page for readers.", access: .open,
            replies: [.other(.ok, "text/html; charset=utf-8", "The page.")]
        ) { _ in
            .text(
                documentation.page, type: "text/html; charset=utf-8",
                headers: [
                    .contentSecurityPolicy: "default-src 'none'; style-src 'unsafe-inline'"
                ])
        }
    }
}
