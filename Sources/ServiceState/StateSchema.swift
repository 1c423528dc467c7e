internal import GRDB

/// The database's tables, and how an older one gets to them. A migration that has been released is
/// never changed; a change is a new one at the end.
///
/// Tables are strict, so that a column holds values of its type only, and JSON is checked.
enum StateSchema {
    /// Brings the database up to date.
    ///
    /// - Throws: `StateError(.newerSchema)` and what SQLite says.
    static func migrate(_ database: DatabasePool) throws {
        try database.read(refuseNewer)
        try migrator.migrate(database)
    }

    /// Checks that the database is up to date, where it may not be changed.
    ///
    /// - Throws: `StateError(.newerSchema)`, `StateError(.olderSchema)` and what SQLite says.
    static func requireCurrent(_ database: DatabasePool) throws {
        try database.read { database in
            try refuseNewer(database)
            guard try migrator.hasCompletedMigrations(database) else {
                throw StateError(
                    .olderSchema, "the state was written by an older version",
                    hint: "start the service once to bring it up to date")
            }
        }
    }

    /// All migrations in order; to be stopped early by tests.
    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1-jobs", migrate: makeJobs)
        migrator.registerMigration("2-idempotency", migrate: makeIdempotencyKeys)
        migrator.registerMigration("3-audit", migrate: makeAuditLog)
        migrator.registerMigration("4-schedules", migrate: makeSchedules)
        migrator.registerMigration("5-job-role-and-successor", migrate: addRoleAndSuccessor)
        migrator.registerMigration("6-open-audit-entries", migrate: makeOpenAuditEntries)
        return migrator
    }

    private static func refuseNewer(_ database: Database) throws {
        guard try !migrator.hasBeenSuperseded(database) else {
            throw StateError(
                .newerSchema, "the state was written by a newer version of Cairn",
                hint: "use that version, or another state folder")
        }
    }

    private static func makeJobs(_ database: Database) throws {
        try database.execute(
            sql: """
                CREATE TABLE jobs (
                    id TEXT PRIMARY KEY NOT NULL,
                    kind TEXT NOT NULL,
                    status TEXT NOT NULL CHECK (status IN ('PENDING', 'IN_PROGRESS', 'SUCCEEDED',
                        'PARTIALLY_FAILED', 'FAILED', 'CANCELED')),
                    created_by TEXT NOT NULL,
                    created_at INTEGER NOT NULL,
                    started_at INTEGER,
                    finished_at INTEGER,
                    request TEXT NOT NULL CHECK (json_valid(request)),
                    snapshot_id TEXT,
                    progress TEXT CHECK (progress IS NULL OR json_valid(progress)),
                    result TEXT CHECK (result IS NULL OR json_valid(result)),
                    error TEXT CHECK (error IS NULL OR json_valid(error)),
                    resumes TEXT,
                    is_resumable INTEGER NOT NULL CHECK (is_resumable IN (0, 1)),
                    request_id TEXT,
                    address TEXT
                ) STRICT;
                CREATE INDEX jobs_by_creation ON jobs (created_at, id);
                CREATE INDEX jobs_by_status ON jobs (status, created_at, id);
                CREATE INDEX jobs_by_kind ON jobs (kind, status, created_at, id);
                CREATE INDEX jobs_by_snapshot ON jobs (snapshot_id, created_at, id);
                CREATE INDEX jobs_by_creator ON jobs (created_by, created_at, id);
                CREATE TABLE job_events (
                    id INTEGER PRIMARY KEY AUTOINCREMENT,
                    job_id TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
                    type TEXT NOT NULL,
                    data TEXT NOT NULL CHECK (json_valid(data)),
                    at INTEGER NOT NULL
                ) STRICT;
                CREATE INDEX job_events_by_job ON job_events (job_id, id);
                """)
    }

    /// Entries of the audit log that say what was allowed, and that no entry about its outcome
    /// follows yet; and the row by which it is found out whether anything can be written.
    private static func makeOpenAuditEntries(_ database: Database) throws {
        try database.execute(
            sql: """
                CREATE TABLE audit_open (sequence INTEGER PRIMARY KEY NOT NULL) STRICT;
                CREATE TABLE write_probe (
                    id INTEGER PRIMARY KEY NOT NULL CHECK (id = 1),
                    bytes BLOB NOT NULL
                ) STRICT;
                """)
    }

    private static func addRoleAndSuccessor(_ database: Database) throws {
        try database.execute(
            sql: """
                ALTER TABLE jobs ADD COLUMN role TEXT;
                ALTER TABLE jobs ADD COLUMN resumed_by TEXT;
                UPDATE jobs SET resumed_by =
                    (SELECT max(later.id) FROM jobs AS later WHERE later.resumes = jobs.id);
                """)
    }

    private static func makeIdempotencyKeys(_ database: Database) throws {
        try database.execute(
            sql: """
                CREATE TABLE idempotency_keys (
                    subject TEXT NOT NULL,
                    key TEXT NOT NULL,
                    fingerprint TEXT NOT NULL,
                    claimed_at INTEGER NOT NULL,
                    job_id TEXT,
                    status INTEGER,
                    headers TEXT CHECK (headers IS NULL OR json_valid(headers)),
                    body BLOB,
                    PRIMARY KEY (subject, key)
                ) STRICT;
                CREATE INDEX idempotency_keys_by_age ON idempotency_keys (claimed_at);
                CREATE INDEX idempotency_keys_by_job ON idempotency_keys (job_id);
                """)
    }

    /// An insertion that replaces a row would not call the trigger for deletions, so it is refused
    /// by the one for insertions.
    private static func makeAuditLog(_ database: Database) throws {
        try database.execute(
            sql: """
                CREATE TABLE audit_log (
                    sequence INTEGER PRIMARY KEY NOT NULL,
                    at INTEGER NOT NULL,
                    subject TEXT NOT NULL,
                    role TEXT,
                    address TEXT,
                    request_id TEXT,
                    action TEXT NOT NULL,
                    resource TEXT,
                    outcome TEXT NOT NULL,
                    status INTEGER,
                    details TEXT,
                    previous_hash TEXT NOT NULL,
                    hash TEXT NOT NULL
                ) STRICT;
                CREATE INDEX audit_log_by_subject ON audit_log (subject, sequence);
                CREATE INDEX audit_log_by_action ON audit_log (action, sequence);
                CREATE INDEX audit_log_by_resource ON audit_log (resource, sequence);
                CREATE INDEX audit_log_by_outcome ON audit_log (outcome, sequence);
                CREATE INDEX audit_log_by_time ON audit_log (at);
                CREATE TABLE audit_head (
                    id INTEGER PRIMARY KEY NOT NULL CHECK (id = 1),
                    count INTEGER NOT NULL,
                    hash TEXT NOT NULL
                ) STRICT;
                INSERT INTO audit_head VALUES (1, 0, '\(AuditHead.empty.hash)');
                CREATE TRIGGER audit_log_is_kept BEFORE UPDATE ON audit_log
                BEGIN SELECT RAISE(ABORT, 'the audit log is never changed'); END;
                CREATE TRIGGER audit_log_is_whole BEFORE DELETE ON audit_log
                BEGIN SELECT RAISE(ABORT, 'the audit log is never cut'); END;
                CREATE TRIGGER audit_log_grows_at_its_end BEFORE INSERT ON audit_log
                WHEN NEW.sequence <= (SELECT max(sequence) FROM audit_log)
                BEGIN SELECT RAISE(ABORT, 'the audit log grows at its end only'); END;
                CREATE TRIGGER audit_head_goes_forward BEFORE UPDATE ON audit_head
                WHEN NEW.count <> OLD.count + 1
                BEGIN SELECT RAISE(ABORT, 'the audit log grows by one entry at a time'); END;
                CREATE TRIGGER audit_head_is_kept BEFORE DELETE ON audit_head
                BEGIN SELECT RAISE(ABORT, 'the audit log is never cut'); END;
                """)
    }

    private static func makeSchedules(_ database: Database) throws {
        try database.execute(
            sql: """
                CREATE TABLE schedules (
                    name TEXT PRIMARY KEY NOT NULL,
                    cron TEXT NOT NULL,
                    time_zone TEXT NOT NULL,
                    is_enabled INTEGER NOT NULL CHECK (is_enabled IN (0, 1)),
                    jitter_seconds INTEGER NOT NULL CHECK (jitter_seconds >= 0),
                    request TEXT NOT NULL CHECK (json_valid(request)),
                    retention TEXT CHECK (retention IS NULL OR json_valid(retention)),
                    verifies INTEGER NOT NULL CHECK (verifies IN (0, 1)),
                    next_run_at INTEGER,
                    last_run_at INTEGER,
                    last_job_id TEXT,
                    updated_at INTEGER NOT NULL,
                    updated_by TEXT NOT NULL
                ) STRICT;
                """)
    }
}
