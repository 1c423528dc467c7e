internal import ArchiveFormat
internal import BSONBytes
internal import MongoDriver

/// A collection that is merged: documents missing live are inserted, differing ones overwritten by
/// `_id` or kept, equal ones not written at all, nothing is deleted. A document that the server
/// refuses is counted and the rest goes on.
struct MergedCollection: RestoreTarget {
    let source: NamespaceDescriptor
    let namespace: Namespace
    let keepsOrder: Bool
    private let isNew: Bool
    private let definition: CollectionDefinition
    private let writer: DocumentMerger
    private let measurements: MeasurementCount?
    private let context: RestoreContext

    /// - Parameter existing: the live one; nil when there is none.
    init(
        _ choice: RestorePlan.Choice, into existing: CollectionInfo?,
        conflictRule: Restore.ConflictRule, _ context: RestoreContext
    ) throws {
        source = choice.descriptor
        namespace = choice.target
        keepsOrder = try choice.descriptor.options.first("capped")?.isTruthy ?? false
        isNew = existing == nil
        definition = try CollectionDefinition(choice.descriptor, context.rules)
        let data = choice.dataNamespace(on: context.server)
        writer = DocumentMerger(
            context: context, namespace: data, conflictRule: conflictRule,
            bypassesValidation: try context.bypassesValidator(
                of: existing?.options ?? definition.options, in: data))
        measurements = try MeasurementCount(choice.descriptor)
        self.context = context
    }

    var readable: Namespace { writer.namespace }
    var replacesLive: Bool { false }

    var needs: PrivilegeNeeds {
        get throws {
            var needs = PrivilegeNeeds()
            if isNew { needs.create(namespace, isCapped: keepsOrder) }
            needs.require("find", "insert", on: writer.namespace)
            // Some documents are overwritten by delete and insert.
            if !isNew, writer.conflictRule == .overwrite {
                needs.require("remove", "update", on: writer.namespace)
            }
            if !definition.indexes.isEmpty {
                needs.require("createIndex", "listIndexes", on: namespace)
            }
            return needs
        }
    }

    func prepare() async throws {
        guard isNew else {
            if writer.conflictRule == .overwrite { try await writer.tryWriting() }
            if keepsOrder {
                context.observer.noticed(
                    "\(namespace) is capped: what is inserted into it may push out what is oldest")
            }
            return
        }
        try await context.pool.withConnection { connection in
            try await connection.createCollection(
                namespace.collection, in: namespace.database, options: definition.options)
        }
    }

    func load(_ documents: ArraySlice<UInt8>) async throws -> LoadOutcome {
        var outcome = try await writer.merge(run: DocumentRun.split(documents))
        outcome.measurementCount = try measurements?.count(documents) ?? 0
        return outcome
    }

    /// What is in a live collection is more than the archive's.
    func compare(_ totals: DocumentTotals) async throws -> LoadOutcome? { nil }

    func complete() async throws {
        do {
            let differences = try await context.endurance.run { _ in
                try await context.pool.withConnection { connection in
                    try await connection.buildIndexes(
                        definition, of: namespace.collection, in: namespace.database,
                        context.rules)
                }
            }
            for name in differences {
                context.observer.noticed(
                    "index \(name) of \(namespace) differs from the archive's and was left as it "
                        + "is")
            }
        } catch let error as MongoError
            where !isNew && [.command, .duplicateKey].contains(error.code)
        {
            context.observer.noticed(
                "indexes of \(namespace) were left as they are: "
                    + "\(error.inUserNames)")
        }
    }

    func commit() async throws -> LoadOutcome? { nil }

    /// What was merged stays: each document is a whole one, and nothing was deleted.
    func abandon() async throws {}
}
