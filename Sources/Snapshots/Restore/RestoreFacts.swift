internal import ArchiveFormat
internal import BSONBytes
internal import MongoDriver

/// What a restore wants to know of a server before it writes: read once, judged by `RestoreChecks`.
struct RestoreFacts: Sendable {
    let server: ServerInfo
    /// How definitions of the archive are read.
    let rules: DefinitionRules
    let live: LiveCatalog
    /// Of the databases that the user may see.
    let databaseNames: [String]
    /// What the server's data may use: may be older than the server. Nil where it is not known.
    let compatibility: ServerInfo.Version?
    /// What the server says of definitions that it does not understand, by the archive's namespace.
    let misunderstood: [Namespace: String]

    /// Asks the server. Nothing is written.
    static func read(
        _ choices: [RestorePlan.Choice], for context: RestoreContext
    ) async throws -> RestoreFacts {
        try await read(
            choices, context.server, context.rules, context.privileges, context.pool)
    }

    /// Asks the server. Nothing is written.
    static func read(
        _ choices: [RestorePlan.Choice], _ server: ServerInfo, _ rules: DefinitionRules,
        _ user: UserPrivileges, _ pool: MongoPool
    ) async throws -> RestoreFacts {
        let databases = Set(choices.map(\.target.database))
        let (names, compatibility) = try await pool.withConnection { connection in
            (
                try await connection.databaseNames(),
                try await connection.featureCompatibilityVersion()
            )
        }
        return RestoreFacts(
            server: server, rules: rules,
            live: try await LiveCatalog.read(databases, pool, user),
            databaseNames: names, compatibility: compatibility,
            misunderstood: try await DefinitionQuestions(pool, rules).ask(choices))
    }
}

/// Has a server read the parts of definitions that are written in its own languages: validators,
/// filters of partial indexes, collations and the pipelines of views. It plans a query with them
/// and does not run it.
private struct DefinitionQuestions {
    /// What servers say of what they can't read: bad values, syntax, versions of collations, stages
    /// and operators that they do not have.
    private static let queryCodes: Set<Int> = [2, 9, 161, 168, 40324]
    /// Of a pipeline only some, for a plan may also fail because something that is queried, such as
    /// an index, is not there.
    private static let pipelineCodes: Set<Int> = [9, 168, 40324]

    private let pool: MongoPool
    private let rules: DefinitionRules

    init(_ pool: MongoPool, _ rules: DefinitionRules) {
        self.pool = pool
        self.rules = rules
    }

    /// - Returns: the server's words for what it does not understand.
    func ask(_ choices: [RestorePlan.Choice]) async throws -> [Namespace: String] {
        var found: [Namespace: String] = [:]
        var answers: [BSONDocument: String?] = [:]
        for choice in choices {
            for (question, codes) in try questions(choice) {
                let answer: String?
                if let known = answers[question] {
                    answer = known
                } else {
                    answer = try await ask(question, in: choice.target.database, codes)
                    answers[question] = answer
                }
                if let answer, found[choice.descriptor.namespace] == nil {
                    found[choice.descriptor.namespace] = answer
                }
            }
        }
        return found
    }

    private func ask(
        _ question: BSONDocument, in database: String, _ codes: Set<Int>
    ) async throws -> String? {
        let command = BSONDocument {
            $0.append("explain", question)
            $0.append("verbosity", "queryPlanner")
        }
        do {
            _ = try await pool.withConnection { connection in
                try await connection.run(command, on: database, as: .read)
            }
            return nil
        } catch let error as MongoError where error.code == .command {
            return error.serverCode.map(codes.contains) == true ? error.message : nil
        } catch let error as MongoError where !error.isNetworkError {
            // Of what the user may not ask nothing is known.
            return nil
        }
    }

    private func questions(
        _ choice: RestorePlan.Choice
    ) throws -> [(question: BSONDocument, codes: Set<Int>)] {
        let descriptor = choice.descriptor
        let name = choice.target.collection
        if descriptor.type == .view {
            guard let pipeline = try descriptor.options.first("pipeline"),
                let source = try descriptor.options.first("viewOn")?.string
            else { return [] }
            let question = BSONDocument {
                $0.append("aggregate", source)
                $0.append("pipeline", pipeline)
                $0.append("cursor", BSONDocument())
            }
            return [(question, Self.pipelineCodes)]
        }
        let definition = try CollectionDefinition(descriptor, rules)
        var filters = [try definition.options.first("validator")?.document]
        filters += try definition.indexes.map { try $0.first("partialFilterExpression")?.document }
        var collations = [try definition.options.first("collation")?.document]
        collations += try definition.indexes.map { try $0.first("collation")?.document }
        let queries =
            filters.compactMap(\.self).map { (filter: $0, collation: nil as BSONDocument?) }
            + collations.compactMap(\.self).map { (filter: BSONDocument(), collation: $0) }
        return queries.map { filter, collation in
            let question = BSONDocument {
                $0.append("find", name)
                $0.append("filter", filter)
                if let collation { $0.append("collation", collation) }
            }
            return (question, Self.queryCodes)
        }
    }
}
