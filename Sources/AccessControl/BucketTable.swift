/// The buckets of a rate limiter, at most so many, each with the time when it will be full again.
///
/// A bucket that is full is as good as none, so those go first when there is no room. Then goes the
/// one that will be full first: of buckets drained alike that is the least recently used one. But
/// one that is empty stays, so that nobody gets a new one by making up keys: that would take as
/// many requests for each made-up key as the old bucket holds.
///
/// Buckets hang in lists by that time: one for those that are full, and a wheel of slots for the
/// time from now to a whole window ahead. Every step takes constant time on the average: a slot is
/// moved to the list of full ones as a whole, once its time has passed.
struct BucketTable {
    private struct Node {
        var key: RateLimitKey
        /// In nanoseconds since the limiter's beginning.
        var fullAt: Int64
        var list: Int
        var previous: Int
        var next: Int
    }

    private struct List {
        var head = -1
        var tail = -1
    }

    private static let slotCount = 64
    /// The list of full buckets; the slots follow.
    private static let full = slotCount

    private let countMax: Int
    /// Longer than the window over the number of slots, so that no slot holds two rounds.
    private let slotNanoseconds: Int64
    private var indices: [RateLimitKey: Int] = [:]
    private var nodes: [Node] = []
    private var lists = [List](repeating: List(), count: slotCount + 1)
    /// The slot of the last time given, not yet taken modulo the number of slots.
    private var currentSlot: Int64 = 0

    init(countMax: Int, windowNanoseconds: Int64) {
        self.countMax = countMax
        slotNanoseconds = windowNanoseconds / Int64(Self.slotCount - 2) + 1
    }

    var count: Int { indices.count }

    /// When the key's bucket is full; a time in the past when it is not known.
    func fullAt(_ key: RateLimitKey) -> Int64 {
        indices[key].map { nodes[$0].fullAt } ?? Int64.min
    }

    /// Sets when the key's bucket will be full, at most a window after `now`; times never go back.
    mutating func set(_ key: RateLimitKey, fullAt: Int64, now: Int64) {
        advance(to: now)
        let slot = fullAt / slotNanoseconds
        let list = slot < currentSlot || fullAt <= now ? Self.full : Int(slot) % Self.slotCount
        let index = index(for: key)
        nodes[index].fullAt = fullAt
        append(index, to: list)
    }

    /// The place of the key's bucket, in no list: its own, that of an evicted one, or a new one.
    private mutating func index(for key: RateLimitKey) -> Int {
        if let known = indices[key] {
            unlink(known)
            return known
        }
        let index: Int
        if nodes.count < countMax {
            index = nodes.count
            nodes.append(Node(key: key, fullAt: 0, list: -1, previous: -1, next: -1))
        } else {
            index = firstToEvict()
            unlink(index)
            indices[nodes[index].key] = nil
            nodes[index].key = key
        }
        indices[key] = index
        return index
    }

    private func firstToEvict() -> Int {
        if lists[Self.full].head >= 0 { return lists[Self.full].head }
        for offset in 0..<Int64(Self.slotCount) {
            let head = lists[Int((currentSlot + offset) % Int64(Self.slotCount))].head
            if head >= 0 { return head }
        }
        preconditionFailure("a table without room has no bucket")
    }

    /// Moves slots whose time has passed to the list of full buckets.
    private mutating func advance(to now: Int64) {
        let slot = now / slotNanoseconds
        let passed = min(slot - currentSlot, Int64(Self.slotCount))
        for offset in 0..<max(passed, 0) {
            splice(Int((currentSlot + offset) % Int64(Self.slotCount)))
        }
        currentSlot = max(slot, currentSlot)
    }

    private mutating func splice(_ slot: Int) {
        let (moved, full) = (lists[slot], lists[Self.full])
        guard moved.head >= 0 else { return }
        if full.tail >= 0 {
            nodes[full.tail].next = moved.head
            nodes[moved.head].previous = full.tail
        } else {
            lists[Self.full].head = moved.head
        }
        lists[Self.full].tail = moved.tail
        lists[slot] = List()
        var index = moved.head
        while index >= 0 {
            nodes[index].list = Self.full
            index = nodes[index].next
        }
    }

    private mutating func append(_ index: Int, to list: Int) {
        let tail = lists[list].tail
        nodes[index].list = list
        nodes[index].previous = tail
        nodes[index].next = -1
        if tail >= 0 { nodes[tail].next = index } else { lists[list].head = index }
        lists[list].tail = index
    }

    private mutating func unlink(_ index: Int) {
        let node = nodes[index]
        if node.previous >= 0 {
            nodes[node.previous].next = node.next
        } else {
            lists[node.list].head = node.next
        }
        if node.next >= 0 {
            nodes[node.next].previous = node.previous
        } else {
            lists[node.list].tail = node.previous
        }
    }
}
