/// Transforms elements concurrently and delivers results in input order: the one construct behind
/// backup, restore and verification.
///
/// At most `width` elements are being transformed and at most `width + ahead` are between `next`
/// and `deliver`, so memory is bounded by that many times one input and one output. `width == 1`
/// without `ahead` is the sequential program. `next` and `deliver` run in the caller's task, never
/// at the same time; `transform` runs in child tasks. The first error, from any of the three,
/// cancels the rest and is thrown.
///
/// - Parameters:
///   - width: at least 1.
///   - ahead: how many results may wait for their turn while others are transformed: with one or
///     two, a `deliver` or a `next` that takes its time leaves no worker idle.
///   - next: answers nil at the end; not called again after that.
///   - transform: called once for each element.
///   - deliver: called once for each result, in the order of `next`.
public func withOrderedWindow<Input: Sendable, Output: Sendable>(
    width: Int, ahead: Int = 0, next: () async throws -> Input?,
    transform: @escaping @Sendable (Input) async throws -> Output,
    deliver: (Output) async throws -> Void
) async throws {
    precondition(width >= 1 && ahead >= 0, "a window holds at least one element")
    try await withThrowingTaskGroup(of: (Int, Output).self) { group in
        var finished: [Int: Output] = [:]
        var startedCount = 0
        var runningCount = 0
        var deliveredCount = 0
        var isExhausted = false
        while true {
            while !isExhausted, runningCount < width,
                startedCount - deliveredCount < width + ahead
            {
                guard let input = try await next() else {
                    isExhausted = true
                    break
                }
                let position = startedCount
                group.addTask { (position, try await transform(input)) }
                startedCount += 1
                runningCount += 1
            }
            if let output = finished.removeValue(forKey: deliveredCount) {
                try await deliver(output)
                deliveredCount += 1
            } else if runningCount > 0 {
                guard let (position, output) = try await group.next() else {
                    throw CancellationError()
                }
                finished[position] = output
                runningCount -= 1
            } else {
                return
            }
        }
    }
}
