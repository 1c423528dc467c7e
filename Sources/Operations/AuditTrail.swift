public import ServiceState

/// Writes into the audit log what is about to be done, before it is, and what came of it.
public struct AuditTrail: Sendable {
    /// An entry that says what is about to be done.
    public struct Intent: Sendable {
        fileprivate let sequence: Int64
        /// Why it must not be done; it wants its outcome all the same. Nil when it may be.
        public let failure: StateError?
    }

    private let state: StateStore
    private let deferred: DeferredWrites

    /// - Parameter deferred: what becomes of outcomes that can't be written at once.
    public init(state: StateStore, deferred: DeferredWrites) {
        self.state = state
        self.deferred = deferred
    }

    /// Writes down that something is about to be done.
    ///
    /// - Returns: the entry, whose `failure` must be looked at.
    /// - Throws: `StateError`; then it must not be done, and there is no entry.
    public func begin(_ event: AuditEvent) async throws -> Intent {
        var event = event
        event.outcome = .allowed
        event.status = nil
        let begun = try await state.beginAudit(event)
        return Intent(sequence: begun.entry.sequence, failure: begun.headFailure)
    }

    /// Writes down what came of it: at once, or as soon as it can be. Returns in either case, for
    /// what was done is done.
    public func end(_ intent: Intent, _ event: AuditEvent) async {
        await deferred.perform("the outcome of \(event.action) can't be written down") { [state] in
            try await state.appendAudit(event, closing: intent.sequence)
        }
    }

    /// Writes down what was refused before anything was done.
    ///
    /// - Throws: `StateError`.
    public func refused(_ event: AuditEvent) async throws { try await state.appendAudit(event) }
}
