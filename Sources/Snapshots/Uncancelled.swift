/// Calls `body` in a task of its own, which a cancellation of the caller's does not reach: for what
/// must be completed once begun, and for cleaning up.
///
/// - Throws: what `body` throws.
func uncancelled<Result: Sendable>(
    _ body: sending @escaping @isolated(any) () async throws -> Result
) async throws -> Result {
    try await Task(operation: body).value
}

/// The same of what does not fail.
func uncancelled<Result: Sendable>(_ body: sending @escaping @isolated(any) () async -> Result)
    async -> Result
{
    await Task(operation: body).value
}
