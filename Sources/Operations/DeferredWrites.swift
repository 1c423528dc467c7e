internal import ServiceState
internal import Synchronization

/// Writes that tell what has been done and could not be made, mostly because a disk was full: they
/// are tried again until they succeed, in their order. A process that ends before has lost them;
/// the next one finds that something was begun and not ended.
public final class DeferredWrites: Sendable {
    /// A write, and what is said of it when it fails.
    private struct Item: Sendable {
        let what: String
        let job: String?
        let write: @Sendable () async throws -> Void
    }

    private struct State {
        var items: [Item] = []
        var isRetrying = false
    }

    /// How many are kept; those beyond are logged and given up.
    public static let countMax = 10_000
    /// How often they are tried.
    private static let interval = Duration.seconds(1)

    private let state = Mutex(State())
    private let log: any OperationsLog

    /// - Parameter log: is told of writes that are given up.
    public init(log: any OperationsLog) {
        self.log = log
    }

    /// How many wait.
    public var count: Int { state.withLock { $0.items.count } }

    /// Makes a write now, or later when that fails. Later ones wait for earlier ones.
    ///
    /// - Parameters:
    ///   - what: the failure in a few words, for the log.
    ///   - job: the job that it is about.
    public func perform(
        _ what: String, job: String? = nil, _ write: @escaping @Sendable () async throws -> Void
    ) async {
        let item = Item(what: what, job: job, write: write)
        if state.withLock({ $0.items.isEmpty }) {
            do {
                return try await write()
            } catch {
                log.failed(what, job: job, error)
                guard DeferredWrites.mayHelp(error) else { return }
            }
        }
        let isKept = state.withLock { state in
            guard state.items.count < Self.countMax else { return false }
            state.items.append(item)
            return true
        }
        guard !isKept else { return }
        log.failed("\(what), and it is given up", job: job, TooManyWrites())
    }

    /// Tries all of them, up to the first one that fails again.
    public func retry() async {
        let mayBegin = state.withLock { state in
            defer { state.isRetrying = true }
            return !state.isRetrying
        }
        guard mayBegin else { return }
        defer { state.withLock { $0.isRetrying = false } }
        while let item = state.withLock({ $0.items.first }) {
            do {
                try await item.write()
            } catch {
                guard !Self.mayHelp(error) else { return }
                log.failed(item.what, job: item.job, error)
            }
            state.withLock { _ = $0.items.removeFirst() }
        }
    }

    /// Tries them again and again until the task is cancelled, and once more then.
    func run() async {
        while !Task.isCancelled {
            do {
                try await Task.sleep(for: Self.interval)
            } catch {
                break
            }
            await retry()
        }
        await retry()
    }

    /// Whether another try may do: what is wrong with the write itself stays wrong.
    private static func mayHelp(_ error: any Error) -> Bool {
        guard let error = error as? StateError else { return false }
        return error.isTemporary
    }
}

/// There is no room to remember more writes.
private struct TooManyWrites: Error {}
