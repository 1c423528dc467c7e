internal import AccessControl
internal import HTTPTypes
internal import Operations
internal import SnapshotJSON

/// When backups are made without anybody asking.
struct ScheduleEndpoints: Sendable {
    static let path = BackupEndpoints.path + "/schedule"

    let environment: ServiceEnvironment

    var all: [Endpoint] { [get, put] }

    private static let fields: [Schema.Property] = [
        .required(
            "cron",
            .string(
                Schema.TextRule(
                    lengths: 1...200, pattern: "[\\x20-\\x7e]+", else: "is not printable ASCII")
            )
            .saying("Minute, hour, day, month, day of the week; or @daily and the like.")),
        Schema.Property(
            "time_zone",
            .string(
                Schema.TextRule(
                    lengths: 1...64, pattern: "[A-Za-z0-9_+/-]+", else: "is no time zone's name")
            )
            .saying("Of the IANA database, such as Europe/Rome; UTC when not given.")),
        Schema.Property("enabled", .boolean),
        Schema.Property(
            "jitter_seconds",
            .integer(0...3600).saying("Each run starts with a random delay of up to this time.")),
        Schema.Property(
            "verify", .boolean.saying("Whether each backup is verified when it is made.")),
        Schema.Property("backup", .object(FieldSchemas.backup)),
        Schema.Property("retention", .object(FieldSchemas.retention)),
    ]

    private var get: Endpoint {
        Endpoint(
            method: .get, path: Self.path, id: "getSchedule", group: BackupEndpoints.group,
            summary: "Tell when backups are made by themselves.",
            access: .permitted(.backupsRead),
            replies: [
                .json(.ok, .named("Schedule"), "The schedule."),
                .problem(.notFound, "There is none."),
            ]
        ) { _ in
            guard let schedule = try await environment.scheduler.current() else {
                throw Problem.notFound("there is no schedule")
            }
            return .json(schedule.json)
        }
    }

    private var put: Endpoint {
        Endpoint(
            method: .put, path: Self.path, id: "putSchedule", group: BackupEndpoints.group,
            summary: "Say when backups are made by themselves.",
            details: "After each backup retention runs. Runs that were missed while the service "
                + "was down are made up once.",
            access: .permitted(.backupsCleanup),
            body: Endpoint.Body(
                schema: .object(Self.fields), isRequired: true,
                example: .object([
                    "cron": .string("30 2 * * *"), "time_zone": .string("Europe/Rome"),
                    "verify": .bool(true),
                ]),
                judge: { try Call.decoded($0, as: ScheduleRequest.self).validate() },
                dependencies: FieldSchemas.backupDependencies),
            replies: [.json(.ok, .named("Schedule"), "The schedule as it is now.")],
            auditedAs: "schedule.change"
        ) { call in
            let schedule = try await environment.scheduler.set(
                try call.decoded(as: ScheduleRequest.self), by: call.subject)
            return .json(schedule.json)
        }
    }
}
