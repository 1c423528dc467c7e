internal import ArchiveFormat
internal import BSONBytes
public import Snapshots

extension JSONValue {
    /// What a restore has done.
    ///
    /// - Parameters:
    ///   - options: what was asked for.
    ///   - path: of the archive's file; nil where there is none, or it is nobody's business.
    public init(_ report: RestoreReport, _ options: Restore.Options, path: String?) {
        let outcome = report.outcome
        self = .object([
            "id": .optional(report.manifest?.id),
            "path": .optional(path),
            "mode": .string(options.mode.rawValue),
            "job": .optional(options.keepOld?.job.description),
            "kept_until": report.keptUntil.map { .date($0 * 1000) } ?? .null,
            "documents": .count(outcome.documentCount),
            "units": Self.units(report),
            "measurements": .count(outcome.measurementCount),
            "views": Self.views(outcome.views),
            "bytes": .count(outcome.byteCount),
            "stored_bytes": .count(report.storedByteCount),
            "namespaces": .count(report.entries.count),
            "inserted": .count(outcome.insertedCount),
            "overwritten": .count(outcome.overwrittenCount),
            "kept": .count(outcome.keptCount),
            "equal": .count(outcome.equalCount),
            "deleted": .count(outcome.deletedCount),
            "refused": .count(outcome.failedCount),
            "replayed": .optional(count: report.replayedCount),
            "adjustments": .array(report.adjustments.map { .string($0) }),
            "seconds": .decimal(report.seconds),
            "collections": .array(report.entries.map(Self.entry)),
        ])
    }

    /// How many documents there are of each unit.
    private static func units(_ report: RestoreReport) -> JSONValue {
        .object(
            StoredUnit.allCases.map { unit in
                let count = report.entries.filter { $0.unit == unit }
                    .reduce(0) { $0 + $1.outcome.documentCount }
                return Member(unit.noun, .count(count))
            })
    }

    private static func views(_ counts: LoadOutcome.ViewCounts) -> JSONValue {
        .object([
            "created": .count(counts.createdCount),
            "changed": .count(counts.changedCount),
            "kept": .count(counts.keptCount),
            "equal": .count(counts.equalCount),
        ])
    }

    private static func entry(_ entry: RestoreReport.Entry) -> JSONValue {
        .object([
            "source": .string(entry.source.description),
            "target": .string(entry.target.description),
            "type": .string(entry.type.word),
            "unit": .optional(entry.unit?.noun),
            "documents": .count(entry.outcome.documentCount),
            "measurements": entry.unit == .bucket
                ? .count(entry.outcome.measurementCount) : .null,
            "view": .optional(entry.outcome.views.word),
            "bytes": .count(entry.outcome.byteCount),
            "inserted": .count(entry.outcome.insertedCount),
            "overwritten": .count(entry.outcome.overwrittenCount),
            "kept": .count(entry.outcome.keptCount),
            "equal": .count(entry.outcome.equalCount),
            "deleted": .count(entry.outcome.deletedCount),
            "refused": .count(entry.outcome.failedCount),
        ])
    }

    /// What a restore would do.
    ///
    /// - Throws: `BSONError`, `ExtendedJSONError` for a sample that is malformed.
    public init(preview report: LiveComparison.Report) throws {
        func sum(_ count: (NamespaceDifference) -> UInt64) -> JSONValue {
            .count(report.entries.reduce(0) { $0 + count($1.difference) })
        }
        self = .object([
            "id": .string(report.manifest.id),
            "mode": .string("preview"),
            "cluster_time": report.moment.map { .time($0) } ?? .null,
            "to_insert": sum(\.onlyInFirstCount),
            "to_overwrite": sum(\.differingCount),
            "equal": sum(\.equalCount),
            "only_live": sum(\.onlyInSecondCount),
            "adjustments": .array(report.adjustments.map { .string($0) }),
            "refusals": .array(report.refusals.map(Self.refusal)),
            "notes": .array(report.notes.map { .string($0) }),
            "invalid_strings": try DifferenceJSON.invalidStringCount(
                report.entries.map(\.difference)),
            "seconds": .decimal(report.seconds),
            "collections": .array(try report.entries.map(Self.previewEntry)),
        ])
    }

    private static func refusal(_ foretold: ForetoldRefusal) -> JSONValue {
        .object([
            "code": .string(foretold.refusal.code.rawValue),
            "namespace": .optional(foretold.refusal.namespace?.description),
            "message": .string(foretold.refusal.message),
            "ways": .array(foretold.ways.map { .string($0.rawValue) }),
        ])
    }

    private static func previewEntry(_ entry: LiveComparison.Report.Entry) throws -> JSONValue {
        let difference = entry.difference
        return .object([
            "source": .string(entry.source.description),
            "target": .string(entry.target.description),
            "type": .string(entry.type.word),
            "unit": .optional(difference.unit?.noun),
            "is_live": .bool(difference.isInSecond),
            "to_insert": .count(difference.onlyInFirstCount),
            "to_overwrite": .count(difference.differingCount),
            "equal": .count(difference.equalCount),
            "only_live": .count(difference.onlyInSecondCount),
            "options_differing": try DifferenceJSON.fields(
                difference.options, "snapshot", "live"),
            "indexes_differing": try DifferenceJSON.indexes(difference, "snapshot", "live"),
            "unique_conflicts": .array(
                try difference.uniqueConflicts.map { conflict in
                    .object([
                        "index": .string(conflict.index),
                        "documents": .count(conflict.documentCount),
                        "samples": try DifferenceJSON.ids(conflict.ids),
                    ])
                }),
            "samples": .object([
                "to_insert": try DifferenceJSON.ids(difference.onlyInFirst),
                "to_overwrite": try DifferenceJSON.pairs(difference, "snapshot", "live"),
                "only_live": try DifferenceJSON.ids(difference.onlyInSecond),
            ]),
        ])
    }
}
