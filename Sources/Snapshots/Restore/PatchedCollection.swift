internal import ArchiveEngine
internal import ArchiveFormat
internal import BSONBytes
internal import MongoDriver

/// An ordinary collection that is made equal to the snapshot's by writing only the difference:
/// missing and differing documents first, deletions last, so the live data is never less than
/// before. A kill in between leaves it between old and new; running the restore again completes it.
/// The fast way back when little changed: both sides are read once, little is written.
///
/// Where documents can't be exchanged one by one, because a unique key of one is still another's,
/// it is loaded beside and swapped like any other.
struct PatchedCollection: Sendable {
    private let patch: DocumentPatch
    private let fallback: StagedCollection
    /// Whether `_id`s are equal in another way than by their bytes, so that it is only found out
    /// whether anything differs at all.
    private let hasCollation: Bool
    private var context: RestoreContext { patch.context }

    /// - Returns: nil for what is always loaded beside: another kind than an ordinary collection,
    ///   or one whose options differ from those of the live collection.
    init?(
        _ choice: RestorePlan.Choice, _ documents: ArchivedDocuments, live: CollectionInfo,
        _ options: Restore.Options, _ context: RestoreContext
    ) throws {
        let descriptor = choice.descriptor
        var difference = NamespaceDifference(choice.target)
        try difference.compareDefinitions(descriptor, descriptor.made(as: live), context.rules)
        let isOrdinary = try ["capped", "autoIndexId"].allSatisfy {
            try descriptor.options.first($0) == nil
        }
        guard descriptor.type == .collection, isOrdinary, difference.options.isEmpty,
            !choice.target.collection.hasPrefix("system.")
        else { return nil }
        let target = choice.target
        let definition = try CollectionDefinition(descriptor, context.rules)
        if let reason = try context.reasonAgainstPatching(target, definition) {
            context.observer.noticed("\(target) is loaded beside and swapped: \(reason)")
            return nil
        }
        patch = DocumentPatch(
            documents: documents, namespace: target, definition: definition,
            bypassesValidation: try context.bypassesValidator(
                of: definition.options, in: target),
            options: options, context: context
        ) { phase in
            context.observer.progressed(
                JobProgress(phase: phase, subject: target.description))
        }
        hasCollation = try descriptor.options.first("collation") != nil
        fallback = try StagedCollection(choice, patch.documents, options, context)
    }

    var source: NamespaceDescriptor { patch.documents.entry.descriptor }
    var namespace: Namespace { patch.namespace }

    var needs: PrivilegeNeeds {
        get throws {
            var needs = PrivilegeNeeds()
            needs.require("collStats", "find", "listIndexes", on: namespace)
            needs.require("createIndex", "dropIndex", on: namespace)
            if !hasCollation { needs.require("insert", "remove", "update", on: namespace) }
            if try patch.definition.expires { needs.require("collMod", on: namespace) }
            // That it can't be done document by document shows only while it is done.
            needs.formUnion(try fallback.needs)
            return needs
        }
    }

    /// - Throws: `ArchiveError` for a damaged chunk, before anything is written; `notEqual` when
    ///   somebody else writes to the collection; `MongoError`.
    func run() async throws -> LoadOutcome {
        let outcome = try await write()
        try await DefinitionProof(context: context).check(source, as: namespace)
        return outcome
    }

    private func write() async throws -> LoadOutcome {
        do {
            guard hasCollation else { return try await patch.run() }
            if let outcome = try await patch.runIfEqual() { return outcome }
            return try await replaceWhole()
        } catch let refusal as DocumentPatch.Refusal {
            context.observer.noticed(
                "\(namespace) is loaded beside and swapped, for it can't be changed document by "
                    + "document: \(refusal.reason)")
            do {
                return try await replaceWhole()
            } catch {
                context.observer.noticed(
                    "\(namespace) is between what it was and the snapshot; running the restore "
                        + "again completes it")
                throw error
            }
        }
    }

    private func replaceWhole() async throws -> LoadOutcome {
        let documents = patch.documents
        let totals = documents.entry.totals
        do {
            try await fallback.prepare()
            try await withOrderedWindow(
                width: patch.options.writerCount, next: Self.each(documents),
                transform: { (chunk: ArchivedDocuments.Chunk) async throws in
                    for run in try await documents.runs(chunk.sequence) {
                        _ = try await fallback.load(run)
                    }
                },
                deliver: { _ in })
            _ = try await fallback.compare(totals)
            try await fallback.complete()
            _ = try await fallback.commit()
        } catch {
            try await uncancelled { try await fallback.abandon() }
            throw error
        }
        var outcome = LoadOutcome()
        outcome.documentCount = totals.documentCount
        outcome.byteCount = totals.byteCount
        outcome.insertedCount = totals.documentCount
        return outcome
    }

    private static func each(
        _ documents: ArchivedDocuments
    ) -> () async throws -> ArchivedDocuments.Chunk? {
        var waiting = documents.sequences[...]
        return { waiting.popFirst().map(documents.chunk) }
    }
}
