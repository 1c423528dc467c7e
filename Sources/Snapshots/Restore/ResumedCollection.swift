internal import ArchiveFormat
internal import MongoDriver

/// A collection that a killed restore of the same archive has loaded in part, or as a whole: what
/// is there is compared with the archive, what is missing is written, and the rest is as for any
/// that is loaded beside the live one. So it is equal to the archive's whatever was lost.
struct ResumedCollection: RestoreTarget {
    let staged: StagedCollection
    private let left: Namespace
    private let context: RestoreContext

    init(_ staged: StagedCollection, _ leftover: Namespace, _ context: RestoreContext) {
        self.staged = staged
        left = leftover
        self.context = context
    }

    var source: NamespaceDescriptor { staged.source }
    var namespace: Namespace { staged.namespace }
    var readsArchiveItself: Bool { true }
    var leftover: Namespace? { left }
    var canBeKept: Bool { staged.canBeKept }
    var place: StagingPlace? { staged.place }
    var stagesDefinition: Bool { true }

    var needs: PrivilegeNeeds {
        get throws {
            var needs = try staged.needs
            needs.rename(left, to: staged.staging, dropTarget: false)
            needs.require("collStats", "listIndexes", on: staged.staging)
            return needs
        }
    }

    func prepare() async throws {
        try await staged.adopt(left)
        context.observer.noticed("resuming \(namespace), which a killed restore had begun")
    }

    func load(_ documents: ArraySlice<UInt8>) async throws -> LoadOutcome {
        preconditionFailure("a resumed collection reads the archive itself")
    }

    func compare(_ totals: DocumentTotals) async throws -> LoadOutcome? {
        try await staged.mend()
    }

    func complete() async throws {
        try await staged.complete()
    }

    func commit() async throws -> LoadOutcome? {
        try await staged.commit()
    }

    func abandon() async throws {
        try await staged.abandon()
    }
}
