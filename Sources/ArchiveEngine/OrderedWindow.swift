/// Transforms elements concurrently and delivers results in input order: the one construct behind
/// backup, restore and verification.
///
/// At most `width` elements are between `next` and `deliver`, so memory is bounded by `width` ×
/// (one input + one output). `width == 1` is the sequential program. `next` and `deliver` run in
/// the caller's task, never at the same time; `transform` runs in child tasks. The first error,
/// from any of the three, cancels the rest and is thrown.
///
/// - Parameters: - width: at least 1. - next: answers nil at the end; not called again after that.
///   - transform: called once for each element. - deliver: called once for each result, in the
///   order of `next`.
public func withOrderedWindow<Input: Sendable, Output: Sendable>(
    width: Int, next: () async throws -> Input?,
    transform: @escaping @Sendable (Input) async throws -> Output,
    deliver: (Output) async throws -> Void
) async throws {
    precondition(width >= 1, "a window holds at least one element")
    try await withThrowingTaskGroup(of: (Int, Output).self) { group in
        var finished: [Int: Output] = [:]
        var startedCount = 0
        var deliveredCount = 0
        var isExhausted = false
        while true {
            while !isExhausted, startedCount - deliveredCount < width {
                guard let input = try await next() else {
                    isExhausted = true
                    break
                }
                let position = startedCount
                group.addTask { (position, try await transform(input)) }
                startedCount += 1
            }
            guard deliveredCount < startedCount else { return }
            while finished[deliveredCount] == nil, let (position, output) = try await group.next() {
                finished[position] = output
            }
            guard let output = finished.removeValue(forKey: deliveredCount) else {
                throw CancellationError()
            }
            try await deliver(output)
            deliveredCount += 1
        }
    }
}
