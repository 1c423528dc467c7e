internal import ArchiveFormat
internal import BSONBytes
internal import MongoDriver

/// What an entry must be like so that it can be replayed: of a known kind, with known fields, and
/// such that no server stumbles over it. A server trusts what it is told to apply, and some of it
/// ends the whole server.
struct OplogRules: Sendable {
    /// Operations within operations.
    private static let nestingDepthMax = 4

    /// Whether the server that it is replayed on knows deltas of binary values; true when it is
    /// not known yet which server that is.
    let allowsBinaryDiffs: Bool

    init(allowsBinaryDiffs: Bool) {
        self.allowsBinaryDiffs = allowsBinaryDiffs
    }

    /// - Parameter server: the one that it is replayed on; nil when that is not known yet.
    init(for server: ServerInfo? = nil) {
        allowsBinaryDiffs = server.map { !($0.version < ServerInfo.Version(7, 1)) } ?? true
    }

    /// Checks an entry and all operations in it.
    ///
    /// - Throws: `OplogRefusal`.
    func check(_ entry: OplogEntry) throws(OplogRefusal) {
        try check(entry, depth: 0)
    }

    private func check(_ entry: OplogEntry, depth: Int) throws(OplogRefusal) {
        guard let disposition = OplogDisposition.operations[entry.kindText] else {
            throw entry.refusal("its op is unknown")
        }
        guard disposition != .skipped else { return }
        guard let kind = entry.kind else { throw entry.refusal("its op can't be replayed") }
        if let field = entry.unknownField {
            throw entry.refusal(
                "its field \(OplogRefusal.quoted(field)) is unknown, or there twice")
        }
        if entry.namespace.database.isEmpty || entry.namespaceText.utf8.contains(0) {
            throw entry.refusal("its ns is not the name of a collection")
        }
        do {
            switch kind {
            case .insert: try checkInsert(entry)
            case .update: try checkUpdate(entry)
            case .delete: _ = try Self.id(of: entry.object, entry)
            case .command: try checkCommand(entry, depth)
            }
        } catch let refusal as OplogRefusal {
            throw refusal
        } catch let defect as DocumentDiff.Defect {
            throw entry.refusal(defect.reason)
        } catch {
            throw entry.refusal("it can't be read: \(error)")
        }
    }

    // MARK: Documents

    private func checkInsert(_ entry: OplogEntry) throws {
        _ = try Self.id(of: entry.object, entry)
        try Self.checkVersionDocument(entry, entry.object)
    }

    /// The `_id`, which a server looks the document up by: as a query it must mean itself.
    private static func id(of document: BSONDocument?, _ entry: OplogEntry) throws -> BSONValue {
        guard let id = try document?.first("_id") else {
            throw entry.refusal("it does not say which document it is about")
        }
        guard ![.array, .undefined, .regularExpression].contains(id.type) else {
            throw entry.refusal("its _id is a \(id.type)")
        }
        for element in try id.document?.elements() ?? [] {
            guard element.nameBytes.first == UInt8(ascii: "$") else { continue }
            guard ["$ref", "$id", "$db"].contains(element.name) else {
                throw entry.refusal("its _id is a query")
            }
        }
        return id
    }

    private func checkUpdate(_ entry: OplogEntry) throws {
        let id = try Self.id(of: entry.target, entry)
        try Self.checkVersionDocument(entry, entry.target)
        let object = entry.object
        // A document may have fields of any name, so that the `_id` comes first.
        if let own = try object.first("_id") {
            guard own.isSameID(as: id) else { throw entry.refusal("it changes the _id") }
            return
        }
        let elements = try object.elements()
        guard let version = elements.first(where: { $0.name == "$v" })?.value else {
            let isModifier = elements.first?.nameBytes.first == UInt8(ascii: "$")
            if isModifier { try Self.checkModifiers(elements, id, entry) }
            return
        }
        switch version.type == .double ? nil : version.wholeNumber {
        case 1: try Self.checkModifiers(elements, id, entry)
        case 2: try checkDelta(elements, id, entry)
        case let number?: throw entry.refusal("its $v \(number) is unknown")
        case nil: throw entry.refusal("its $v is a \(version.type)")
        }
    }

    private func checkDelta(
        _ elements: [BSONElement], _ id: BSONValue, _ entry: OplogEntry
    ) throws {
        guard elements.count == 2, let diff = elements.first(where: { $0.name == "diff" }),
            let diff = diff.value.document
        else { throw entry.refusal("its delta has other parts than $v and diff") }
        let delta = try DocumentDiff(diff)
        if let newID = delta.newID, !newID.isSameID(as: id) {
            throw entry.refusal("it changes the _id")
        }
        guard allowsBinaryDiffs || !delta.hasBinarySection else {
            throw entry.refusal(
                "it changes a part of a binary value, which servers before 7.1 can't apply")
        }
    }

    /// The old form: values by path. Others than these two would not give the same result when
    /// they are applied to what has seen them already.
    private static func checkModifiers(
        _ elements: [BSONElement], _ id: BSONValue, _ entry: OplogEntry
    ) throws {
        var count = 0
        for element in elements where element.name != "$v" {
            guard ["$set", "$unset"].contains(element.name), let fields = element.value.document
            else {
                throw entry.refusal(
                    "its update by \(OplogRefusal.quoted(element.name)) can't be repeated")
            }
            count += 1
            for field in try fields.elements() { try check(path: field, id, entry) }
        }
        guard count > 0 else { throw entry.refusal("its update has neither $set nor $unset") }
    }

    private static func check(
        path field: BSONElement, _ id: BSONValue, _ entry: OplogEntry
    ) throws {
        let parts = field.nameBytes.split(
            separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count <= BSONLimits.nestingDepthMax else {
            throw entry.refusal("a path of its update is too deep")
        }
        for part in parts where part.first == UInt8(ascii: "$") {
            let name = String(decoding: part, as: UTF8.self)
            guard ["$ref", "$id", "$db"].contains(name) else {
                throw entry.refusal("a path of its update has an operator")
            }
        }
        guard parts.first?.elementsEqual("_id".utf8) == true else { return }
        guard parts.count == 1, field.value.isSameID(as: id) else {
            throw entry.refusal("it changes the _id")
        }
    }

    /// What the server's features depend on decides in which form it keeps things.
    private static func checkVersionDocument(
        _ entry: OplogEntry, _ document: BSONDocument?
    ) throws {
        guard entry.namespace == Namespace("admin", "system.version"),
            try document?.first("_id")?.string == "featureCompatibilityVersion"
        else { return }
        throw entry.refusal("it changes the server's feature compatibility version")
    }

    // MARK: Commands

    private func checkCommand(_ entry: OplogEntry, _ depth: Int) throws {
        guard let command = try entry.command else { throw entry.refusal("its command is empty") }
        let name = OplogRefusal.quoted(command.name)
        switch OplogDisposition.commands[command.name] {
        case nil: throw entry.refusal("its command \(name) is unknown")
        case .skipped: return
        case .refused:
            let collection = Namespace(entry.namespace.database, command.value.string ?? "")
            guard !ServerNamespaces.isServersOwn(collection) else { return }
            throw entry.refusal("its command \(name) can't be replayed")
        case .applied:
            if let fields = OplogCommandRules.fields[command.name] {
                for element in try entry.object.elements().dropFirst()
                where !fields.contains(element.name) {
                    throw entry.refusal(
                        "its command \(name) has an unknown field "
                            + OplogRefusal.quoted(element.name))
                }
            }
            if command.name == "applyOps" {
                try checkOperations(entry, depth)
            } else {
                try OplogCommandRules.check(entry, command)
            }
        }
    }

    private func checkOperations(_ entry: OplogEntry, _ depth: Int) throws {
        guard depth < Self.nestingDepthMax else {
            throw entry.refusal("its operations are too deep in each other")
        }
        for element in try entry.object.elements()
        where element.nameBytes.first != UInt8(ascii: "$")
            && !OplogCommandRules.applyOpsFields.contains(element.name)
        {
            throw entry.refusal(
                "its command \"applyOps\" has an unknown field "
                    + OplogRefusal.quoted(element.name))
        }
        for operation in try entry.operations { try check(operation, depth: depth + 1) }
    }
}
