internal import ArchiveFormat

/// Puts the documents of an archive that mixes its namespaces one namespace after another. One of
/// them is passed on as it comes; chunks of the others wait in a temporary file.
///
/// Memory: `openByteCountMax` and a chunk, however many namespaces are mixed.
struct NamespaceSorter {
    /// One namespace.
    private struct Lane {
        /// Nil when the lane is done: what it held is not kept.
        var cutter: ChunkCutter?
        var isSpecial: Bool
        var waiting: [ChunkSpill.Ticket] = []
        var hasBegun = false
        var hasEnded = false

        var isDone: Bool { cutter == nil }
        var openByteCount: Int { cutter?.openByteCount ?? 0 }
    }

    /// Chunks' worth of documents that are held open, over all namespaces.
    private static let openChunkCountMax = 8

    private let openByteCountMax: Int
    private let spill: ChunkSpill
    private var lanes: [Lane]
    /// Lanes that have begun and are not done, in the order in which they began.
    private var begun: [Int] = []
    private var openByteCount = 0

    /// - Parameters:
    ///   - namespaces: in the order of their ordinals.
    ///   - targetByteCount: raw bytes that chunks are cut at.
    init(_ namespaces: [NamespaceDescriptor], targetByteCount: Int, spill: ChunkSpill) {
        openByteCountMax = Self.openChunkCountMax * targetByteCount
        self.spill = spill
        lanes = namespaces.enumerated().map { ordinal, descriptor in
            let stream = BackupPlan.Stream(
                ordinal: UInt32(ordinal), descriptor: descriptor,
                kind: descriptor.isAuthorization ? .special : .data)
            return Lane(
                cutter: ChunkCutter(stream, targetByteCount: targetByteCount, byteCount: 0),
                isSpecial: descriptor.isAuthorization)
        }
    }

    /// Takes pieces in file order.
    typealias Send = (ArchivePiece) async throws -> Void

    /// Takes some documents of a namespace.
    ///
    /// - Throws: `BSONError` when they are not whole, `malformed` when the namespace had ended, and
    ///   what the file and `send` throw.
    mutating func take(
        _ documents: ArraySlice<UInt8>, of ordinal: Int, _ send: Send
    ) async throws {
        begin(ordinal)
        openByteCount -= lanes[ordinal].openByteCount
        guard let full = try lanes[ordinal].cutter?.cut(documents) else {
            throw ArchiveError(.malformed, "a namespace continues after its end")
        }
        openByteCount += lanes[ordinal].openByteCount
        for piece in full { try await put(piece, of: ordinal, send) }
        while openByteCount > openByteCountMax { try await cutLargest(send) }
    }

    /// A namespace is complete.
    mutating func end(_ ordinal: Int, _ send: Send) async throws {
        begin(ordinal)
        lanes[ordinal].hasEnded = true
        try await advance(send)
    }

    /// No more comes: what has not ended ends here.
    mutating func finish(_ send: Send) async throws {
        for ordinal in lanes.indices {
            begin(ordinal)
            lanes[ordinal].hasEnded = true
        }
        try await advance(send)
    }

    private mutating func begin(_ ordinal: Int) {
        guard !lanes[ordinal].hasBegun else { return }
        lanes[ordinal].hasBegun = true
        begun.append(ordinal)
    }

    /// The lane that is passed on: users and roles come before all data, as mongorestore wants it.
    private var current: Int? {
        let special = lanes.indices.first { lanes[$0].isSpecial && !lanes[$0].isDone }
        guard let special else { return begun.first }
        return lanes[special].hasBegun ? special : nil
    }

    private mutating func put(
        _ piece: ArchivePiece, of ordinal: Int, _ send: Send
    ) async throws {
        if ordinal == current {
            try await sendWaiting(of: ordinal, send)
            try await send(piece)
        } else {
            lanes[ordinal].waiting.append(try await spill.put(piece.chunk))
        }
    }

    private mutating func cutLargest(_ send: Send) async throws {
        let largest = begun.max {
            lanes[$0].openByteCount < lanes[$1].openByteCount
        }
        guard let largest else { return }
        openByteCount -= lanes[largest].openByteCount
        guard let piece = lanes[largest].cutter?.cutNow() else { return }
        try await put(piece, of: largest, send)
    }

    private mutating func sendWaiting(of ordinal: Int, _ send: Send) async throws {
        for ticket in lanes[ordinal].waiting { try await send(.chunk(spill.take(ticket))) }
        lanes[ordinal].waiting = []
    }

    /// Passes on lanes that are complete, up to the first that is not.
    private mutating func advance(_ send: Send) async throws {
        while let ordinal = current, lanes[ordinal].hasEnded {
            try await sendWaiting(of: ordinal, send)
            openByteCount -= lanes[ordinal].openByteCount
            begun.removeAll { $0 == ordinal }
            guard let cutter = lanes[ordinal].cutter else { continue }
            lanes[ordinal].cutter = nil
            try await send(cutter.endOfNamespace())
        }
    }
}
