public import SnapshotJSON

extension JSONValue {
    /// What a command tells, as the service tells it: a snapshot's identifier is `backup_id`
    /// everywhere, and nobody is told paths of the service's machine.
    ///
    /// - Parameter added: what stands behind it.
    func service(adding added: KeyValuePairs<String, JSONValue> = [:]) -> JSONValue {
        guard case .object(let members) = dropping("path").namingBackups else { return self }
        return .object(members + added.map { Member($0.key, $0.value) })
    }

    private var namingBackups: JSONValue {
        switch self {
        case .object(let members):
            .object(
                members.map { member in
                    Member(
                        member.name == "id" ? "backup_id" : member.name,
                        member.name == "selection"
                            ? member.value.namingDatabases : member.value.namingBackups)
                })
        case .array(let values): .array(values.map(\.namingBackups))
        default: self
        }
    }

    /// A selection has databases here; on the command line it has one.
    private var namingDatabases: JSONValue {
        guard case .object(let members) = self else { return self }
        return .object(
            members.map { member in
                guard member.name == "db" else { return member }
                if case .null = member.value { return Member("databases", .null) }
                return Member("databases", .array([member.value]))
            })
    }

    /// Without some of its members.
    func dropping(_ names: String...) -> JSONValue {
        guard case .object(let members) = self else { return self }
        return .object(members.filter { !names.contains($0.name) })
    }

    /// With another name for one of its members.
    func renaming(_ name: String, to other: String) -> JSONValue {
        guard case .object(let members) = self else { return self }
        return .object(members.map { $0.name == name ? Member(other, $0.value) : $0 })
    }

    /// How many stored bytes there are for each byte of documents; null for no documents.
    public static func ratio(_ storedByteCount: UInt64, of byteCount: UInt64) -> JSONValue {
        byteCount == 0 ? .null : .decimal(Double(storedByteCount) / Double(byteCount))
    }
}
