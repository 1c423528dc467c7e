internal import ArchiveFormat
internal import MongoDriver

extension LiveComparison {
    /// Finds out whether the user may read what is compared.
    ///
    /// - Throws: `MongoError` with `unauthorized` that names all that is missing.
    static func checkPrivileges(
        _ choices: [RestorePlan.Choice], _ live: LiveCatalog, _ server: ServerInfo,
        _ user: UserPrivileges
    ) throws {
        try needs(choices, live, server).check(user, for: "the comparison with the server")
    }

    static func needs(
        _ choices: [RestorePlan.Choice], _ live: LiveCatalog, _ server: ServerInfo
    ) -> PrivilegeNeeds {
        var needs = PrivilegeNeeds()
        for database in Set(choices.map(\.target.database)) {
            needs.listCollections(of: database)
        }
        for choice in choices {
            guard let info = live[choice.target] else { continue }
            needs.read(info, in: choice.target.database, server)
            guard info.type != NamespaceType.view.rawValue else { continue }
            needs.require("collStats", on: choice.dataNamespace(on: server))
        }
        return needs
    }
}
