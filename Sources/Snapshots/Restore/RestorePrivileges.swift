internal import ArchiveFormat
internal import BSONBytes
internal import MongoDriver

extension PrivilegeNeeds {
    /// Makes a collection beside the live one, fills it, indexes it, reads it, and drops it should
    /// the restore fail.
    ///
    /// - Parameter definition: nil for one without indexes.
    mutating func load(into staging: Namespace, _ definition: CollectionDefinition?) {
        create(staging)
        require("dropCollection", "find", "insert", on: staging)
        guard let definition, !definition.indexes.isEmpty else { return }
        require("createIndex", "listIndexes", on: staging)
    }
}

extension RestorePlan {
    /// What the user must be allowed to do, all of it before anything is written.
    var needs: PrivilegeNeeds {
        get throws {
            var needs = PrivilegeNeeds()
            for database in databases { needs.listCollections(of: database) }
            for target in targets { needs.formUnion(try target.needs) }
            for patch in patches { needs.formUnion(try patch.needs) }
            return needs
        }
    }

    /// Refuses what could not be completed.
    ///
    /// - Throws: `MongoError` with `unauthorized` that names all that is missing; `unsupported`
    ///   when it can be done without the archive's oplog.
    func checkPrivileges(_ user: UserPrivileges) throws {
        var needs = try needs
        let missingForReplay = oplog == nil ? [] : needsOfReplay.missing(for: user)
        if needs.missing(for: user).isEmpty, !missingForReplay.isEmpty {
            throw SnapshotError(
                .unsupported,
                MissingPrivileges(missingForReplay).sentence(
                    for: "the replay of the archive's oplog", user: user.user)
                    + "; --no-oplog leaves the oplog out, and what comes back is then not of one "
                    + "instant")
        }
        if oplog != nil { needs.formUnion(needsOfReplay) }
        try needs.check(user, for: "the restore")
    }

    /// Entries are applied by one command, which a server checks like those that it stands for.
    private var needsOfReplay: PrivilegeNeeds {
        var needs = PrivilegeNeeds()
        needs.require(["applyOps"], on: .cluster)
        for target in targets {
            guard let staging = target.place?.namespace else { continue }
            needs.require("insert", "remove", "update", on: staging)
        }
        return needs
    }
}

extension RestoreContext {
    /// Whether the user may do that to a collection; true where that is not known.
    func allows(_ action: String, on namespace: Namespace) -> Bool {
        privileges.allows(Privilege(action, on: PrivilegeNeeds.resource(namespace)))
    }

    /// Whether documents pass a collection's validator by: it is about what applications write,
    /// not about what was there already. It takes a privilege, so only where there is a validator.
    func bypassesValidator(of options: BSONDocument, in namespace: Namespace) throws -> Bool {
        let isValidated =
            try options.first("validator") != nil
            || namespace.collection.hasPrefix("system.buckets.")
        return isValidated && allows("bypassDocumentValidation", on: namespace)
    }

    /// Why documents of a live collection can't be exchanged one by one; nil when they can.
    func reasonAgainstPatching(
        _ namespace: Namespace, _ definition: CollectionDefinition
    ) throws -> String? {
        if try definition.expires, !allows("collMod", on: namespace) {
            return "its documents expire, which the user may not stop for a while (collMod)"
        }
        if try definition.options.first("validator") != nil,
            !allows("bypassDocumentValidation", on: namespace)
        {
            return "the user may not pass its validator by (bypassDocumentValidation)"
        }
        return nil
    }
}

extension BSONDocument {
    /// Whether there is such a field; also where that can't be told, for a word too many.
    func mayHave(_ name: String) -> Bool {
        do { return try first(name) != nil } catch { return true }
    }
}

extension CollectionDefinition {
    /// Whether documents are taken out by the server after some time.
    var expires: Bool {
        get throws {
            try expiry != nil || indexes.contains { try $0.first("expireAfterSeconds") != nil }
        }
    }
}
