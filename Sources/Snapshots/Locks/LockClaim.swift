/// What a job wants to have for itself, or not be taken away, while it runs.
public struct LockClaim: Hashable, Sendable {
    /// What the job does; a word for messages.
    public struct Operation: RawRepresentable, Hashable, Sendable {
        public let rawValue: String

        public init(rawValue: String) {
            self.rawValue = rawValue
        }

        public static let backup = Operation(rawValue: "backup")
        public static let restore = Operation(rawValue: "restore")
        public static let preview = Operation(rawValue: "preview")
        public static let verify = Operation(rawValue: "verify")
        /// Looks into a snapshot.
        public static let read = Operation(rawValue: "read")
        public static let delete = Operation(rawValue: "delete")
        public static let prune = Operation(rawValue: "prune")
    }

    /// Collections of a server.
    public struct Namespaces: Hashable, Sendable {
        public var deployment: Deployment
        /// Those in any of these.
        public var selections: [NamespaceFilter]

        /// Those of a deployment that are in any of the selections.
        public init(_ deployment: Deployment, _ selections: [NamespaceFilter]) {
            self.deployment = deployment
            self.selections = selections
        }

        func mayOverlap(_ other: Namespaces) -> Bool {
            guard deployment.mayBe(other.deployment) else { return false }
            var budget = OverlapBudget()
            return selections.contains { own in
                other.selections.contains { own.mayOverlap($0, &budget) }
            }
        }
    }

    public var operation: Operation
    /// Collections that are read as a whole, or written; nobody else may do either meanwhile.
    public var namespaces: Namespaces?
    /// Snapshots that must stay.
    public var uses: Set<SnapshotID> = []
    /// Snapshots that go.
    public var removes: Set<SnapshotID> = []
    /// Whether it decides which snapshots go; one at a time does.
    public var isAdministration = false

    /// A claim to nothing yet.
    public init(_ operation: Operation) {
        self.operation = operation
    }

    /// That of a backup.
    public static func backup(of filter: NamespaceFilter, on deployment: Deployment) -> LockClaim {
        var claim = LockClaim(.backup)
        claim.namespaces = Namespaces(deployment, [filter])
        return claim
    }

    /// That of a job that only reads snapshots.
    public static func reading(_ ids: Set<SnapshotID>, as operation: Operation) -> LockClaim {
        var claim = LockClaim(operation)
        claim.uses = ids
        return claim
    }

    /// That of who decides which snapshots go.
    static func administration(_ operation: Operation) -> LockClaim {
        var claim = LockClaim(operation)
        claim.isAdministration = true
        return claim
    }

    /// That of the removal of one.
    static func removal(of id: SnapshotID, as operation: Operation) -> LockClaim {
        var claim = LockClaim(operation)
        claim.removes = [id]
        return claim
    }

    /// Why the two can't be at once, as the end of a sentence about the other; nil when they can.
    func conflict(with other: LockClaim) -> String? {
        if let id = removes.intersection(other.uses.union(other.removes)).min() {
            return "uses the snapshot \(id)"
        }
        if let id = uses.intersection(other.removes).min() { return "removes the snapshot \(id)" }
        if isAdministration, other.isAdministration {
            return "decides which snapshots of the repository go"
        }
        if let namespaces, let rival = other.namespaces, namespaces.mayOverlap(rival) {
            return "is at work on the same collections of \(rival.deployment)"
        }
        return nil
    }

    /// Whether it changes the repository, and must not without a lock.
    var changesRepository: Bool {
        operation == .backup || !removes.isEmpty || isAdministration
    }
}
