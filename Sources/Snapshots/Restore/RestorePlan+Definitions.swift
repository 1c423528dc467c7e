internal import ArchiveFormat
internal import MongoDriver

extension Restore.Options {
    /// How options and indexes of an archive are read for that server.
    func rules(for server: ServerInfo) -> DefinitionRules {
        DefinitionRules(
            serverVersion: server.version, leavesOutIndexes: !restoresIndexes,
            convertsLegacyIndexes: convertsLegacyIndexes)
    }
}

extension RestorePlan {
    /// The most sentences of each kind that are told.
    private static let sentenceCountMax = 100
    /// The most reasons that one error names.
    private static let reasonCountMax = 5

    /// Finds out what of the options and indexes is left out or changed, and notices it.
    ///
    /// - Returns: one sentence each, as `RestoreReport.adjustments` has them.
    /// - Throws: `BSONError` for a definition that can't be read.
    static func adjustments(
        _ choices: [Choice], _ rules: DefinitionRules, _ observer: any JobObserver
    ) throws -> [String] {
        var adjustments: [String] = []
        for definition in try definitions(choices, rules) { adjustments += definition.adjustments }
        if rules.leavesOutIndexes {
            observer.noticed("indexes are left out, as asked; documents have only the one on _id")
        }
        let surplusCount = adjustments.count - sentenceCountMax
        if surplusCount > 0 {
            adjustments = adjustments.prefix(sentenceCountMax) + ["and \(surplusCount) more"]
        }
        for adjustment in adjustments { observer.noticed(adjustment) }
        return adjustments
    }

    private static func definitions(
        _ choices: [Choice], _ rules: DefinitionRules
    ) throws -> [CollectionDefinition] {
        try choices.filter { $0.descriptor.type != .view && !$0.descriptor.isAuthorization }
            .map { try CollectionDefinition($0.descriptor, rules) }
    }

    /// That the server would refuse indexes; nil when it would not.
    static func indexRefusal(_ choices: [Choice], _ rules: DefinitionRules) throws -> Refusal? {
        let refusals = try definitions(choices, rules).flatMap(\.refusals)
        guard !refusals.isEmpty else { return nil }
        let others = refusals.count - reasonCountMax
        let text = refusals.prefix(reasonCountMax).map(\.reason).joined(separator: "; ")
        let conversion =
            refusals.contains(where: \.canBeConverted)
            ? "convert with --convert-legacy-indexes (convert_legacy_indexes), or " : ""
        return Refusal(
            .unsupported, nil,
            "the server would refuse indexes: \(text)" + (others > 0 ? "; and \(others) more" : "")
                + "; \(conversion)restore without indexes with --no-indexes (no_indexes)")
    }
}
