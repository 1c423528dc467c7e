internal import ArchiveFormat

/// Decides which chunk has which place in an archive, where several claim one.
struct ChunkClaims {
    /// How many ways to choose among rivals are tried for one namespace.
    private static let choiceCountMax = 4096

    private let frames: [ExaminedFrame]
    /// Positions in `frames` of whole chunks that are no prelude, by their place in the archive.
    private var claims: [UInt32: [Int]] = [:]
    /// The same by the namespace that all their blocks are of; mixed chunks are left out.
    private var byNamespace: [Namespace: Set<Int>] = [:]
    private var wholePlaces: Set<UInt32> = []
    /// Chunks with which a namespace's documents have the CRC-64 that its end states.
    private var proven: Set<Int> = []
    /// Namespaces of which that are all.
    private var complete: Set<Namespace> = []
    /// Namespaces that hold a chunk which is not theirs, nobody knows which.
    private(set) var mixedUp: [Namespace] = []
    /// Chunks of documents that are the archive's, by their places.
    private(set) var chunks: [ArchiveSalvager.WholeChunk] = []
    /// - Parameter frames: in file order, each once.
    init(_ frames: [ExaminedFrame]) {
        self.frames = frames
        for (position, frame) in frames.enumerated() where frame.isWhole {
            wholePlaces.insert(frame.header.sequence)
            guard let chunk = frame.chunk, frame.header.kind != .prelude else { continue }
            claims[frame.header.sequence, default: []].append(position)
            let names = Set(chunk.blocks.map(\.header.namespace))
            if let name = names.first, names.count == 1, frame.header.kind != .mixed {
                byNamespace[name, default: []].insert(position)
            }
        }
    }

    mutating func resolve() {
        for name in byNamespace.keys.sorted(by: { $0.description < $1.description }) {
            prove(name)
        }
        for sequence in claims.keys.sorted() {
            let rivals = (claims[sequence] ?? []).filter { !isSurplus($0) }
            guard let position = winner(of: rivals),
                frames[position].header.kind.holdsDocuments,
                isMixed(position) || names(position).isDisjoint(with: mixedUp),
                let chunk = ArchiveSalvager.WholeChunk(frames[position])
            else { continue }
            chunks.append(chunk)
        }
    }

    /// Whether it is of a namespace that is complete without it.
    private func isSurplus(_ position: Int) -> Bool {
        !isMixed(position) && !proven.contains(position)
            && !names(position).isDisjoint(with: complete)
    }

    private func isMixed(_ position: Int) -> Bool { frames[position].header.kind == .mixed }

    private func names(_ position: Int) -> Set<Namespace> {
        Set(frames[position].chunk?.blocks.map(\.header.namespace) ?? [])
    }

    private func isEnd(_ position: Int) -> Bool {
        frames[position].chunk?.blocks.contains { $0.header.isEnd } ?? false
    }

    private func winner(of rivals: [Int]) -> Int? {
        if rivals.count == 1 { return rivals[0] }
        let sure = rivals.filter { proven.contains($0) }
        if sure.count == 1 { return sure[0] }
        let fitting = (sure.isEmpty ? rivals : sure).filter { position in
            let sequence = Int64(frames[position].header.sequence)
            return (position == 0 || Int64(frames[position - 1].header.sequence) == sequence - 1)
                && (position + 1 == frames.count
                    || Int64(frames[position + 1].header.sequence) == sequence + 1)
        }
        return fitting.count == 1 ? fitting[0] : nil
    }

    /// Tries the chunks of a namespace against each of its ends.
    private mutating func prove(_ name: Namespace) {
        let own = byNamespace[name] ?? []
        var (isProven, isRefuted) = (false, false)
        for end in own where isEnd(end) {
            // Its documents come right in front of it.
            var places: [[Int]] = []
            var sequence = frames[end].header.sequence
            while sequence > 0,
                let rivals = claims[sequence - 1]?.filter({ own.contains($0) && !isEnd($0) }),
                !rivals.isEmpty
            {
                places.append(rivals)
                sequence -= 1
            }
            places.reverse()
            guard let choices = Self.choices(places) else { continue }
            let right = choices.filter { crc64($0 + [end]) == statedCRC64(end) }
            for choice in right { proven.formUnion(choice + [end]) }
            if !right.isEmpty { isProven = true }
            if !right.isEmpty, !places.isEmpty { complete.insert(name) }
            // Where another namespace's place comes before them, none of them is missing.
            let isComplete = sequence == 0 || wholePlaces.contains(sequence - 1)
            if right.isEmpty, isComplete { isRefuted = true }
        }
        if isRefuted && !isProven { mixedUp.append(name) }
    }

    /// Every way to take one rival for each place; nil when there are too many.
    private static func choices(_ places: [[Int]]) -> [[Int]]? {
        var count = 1
        for rivals in places {
            count *= rivals.count
            guard count <= choiceCountMax else { return nil }
        }
        return places.reduce([[]]) { choices, rivals in
            choices.flatMap { choice in rivals.map { choice + [$0] } }
        }
    }

    private func crc64(_ choice: [Int]) -> UInt64 {
        choice.reduce(into: DocumentTotals()) { totals, position in
            totals.append(frames[position].totals)
        }.crc64
    }

    private func statedCRC64(_ end: Int) -> UInt64? {
        frames[end].chunk?.blocks.first { $0.header.isEnd }?.header.crc64
    }
}
