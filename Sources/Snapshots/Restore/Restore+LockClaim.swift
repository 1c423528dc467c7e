extension LockClaim {
    /// That of a restore: of the collections under the names that they will have.
    public static func restore(
        of id: SnapshotID, to deployment: Deployment, _ options: Restore.Options
    ) -> LockClaim {
        var claim = LockClaim(.restore)
        claim.uses = [id]
        claim.namespaces = Namespaces(deployment, options.filter.targets(options.renames))
        return claim
    }
}
