/// An element of a window or a queue that says how many bytes it takes: of large ones fewer are in
/// memory at once.
public protocol WeighedElement {
    /// Bytes while it is in the window, with what is made of it there.
    var heldByteCount: Int { get }
}

/// How many bytes may be in a window or a queue at once.
enum WeighedElements {
    /// Of ordinary elements, a chunk and what it is stored as: as many as the counts allow.
    private static let ordinaryByteCount = 9 * 1024 * 1024
    /// Of large ones, such as chunks of a single document of 16 MiB: two, whatever the counts.
    private static let windowByteCountMin = 40 * 1024 * 1024

    /// What a window of so many elements may hold before another one is begun.
    static func windowByteCountMax(elementCount: Int) -> Int {
        max(windowByteCountMin, elementCount * ordinaryByteCount)
    }

    /// What a queue of so many elements may hold before another one has to wait.
    static func queueByteCountMax(elementCount: Int) -> Int {
        elementCount * ordinaryByteCount
    }

    /// Zero for elements that do not say.
    static func heldByteCount(_ element: some Any) -> Int {
        (element as? any WeighedElement)?.heldByteCount ?? 0
    }
}

/// Transforms elements concurrently and delivers results in input order: the one construct behind
/// backup, restore and verification.
///
/// At most `width` elements are being transformed and at most `width + ahead` are between `next`
/// and `deliver`, so memory is bounded by that many times one input and one output. Of elements
/// that weigh much there are fewer, but always one (`WeighedElement`). `width == 1`
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
        var held: [Int: Int] = [:]
        var heldByteCount = 0
        let heldByteCountMax = WeighedElements.windowByteCountMax(elementCount: width + ahead)
        while true {
            while !isExhausted, runningCount < width,
                startedCount - deliveredCount < width + ahead, heldByteCount < heldByteCountMax
            {
                guard let input = try await next() else {
                    isExhausted = true
                    break
                }
                let position = startedCount
                let byteCount = WeighedElements.heldByteCount(input)
                if byteCount > 0 { held[position] = byteCount }
                heldByteCount += byteCount
                group.addTask { (position, try await transform(input)) }
                startedCount += 1
                runningCount += 1
            }
            if let output = finished.removeValue(forKey: deliveredCount) {
                try await deliver(output)
                heldByteCount -= held.removeValue(forKey: deliveredCount) ?? 0
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
