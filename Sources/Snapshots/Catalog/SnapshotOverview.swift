public import ArchiveFormat

extension SnapshotCatalog {
    /// A snapshot as a list of many has it: as much as fits in a few lines, however many namespaces
    /// it has.
    public struct Overview: Hashable, Sendable {
        public var id: SnapshotID
        /// Key of the object in the repository.
        public var key: String
        public var storedByteCount: UInt64
        /// What the snapshot says of itself; nil for one that can't be read.
        public var facts: Facts?
        /// Why it can't be read; nil for one that can.
        public var error: String?
        /// The last deep check of these very bytes; nil when there was none.
        public var verification: Verification?

        /// A snapshot that can't be read, or of which nothing was read yet.
        public init(id: SnapshotID, key: String, storedByteCount: UInt64, error: String?) {
            self.id = id
            self.key = key
            self.storedByteCount = storedByteCount
            self.error = error
        }

        init(
            id: SnapshotID, key: String, storedByteCount: UInt64, facts: Facts?, error: String?,
            verification: Verification?
        ) {
            self.init(id: id, key: key, storedByteCount: storedByteCount, error: error)
            self.facts = facts
            self.verification = verification
        }

        /// Whether its trailer can't be read, or its last deep check has found a defect.
        public var isDamaged: Bool { facts == nil || verification?.outcome == .damaged }

        /// Whether all that was ever in it is there, as far as is known without reading it.
        public var isWhole: Bool { !isDamaged && facts?.loss == nil }

        /// Whether it was found to be whole by a deep check.
        public var isVerified: Bool { isWhole && verification?.outcome == .ok }

        /// By how much a date may be ahead, as clocks of several hosts differ: an hour.
        private static let futureMillisecondsMax: Int64 = 3_600_000

        /// Whether a clock that was ahead has dated it.
        ///
        /// - Parameter now: in milliseconds since 1970 UTC.
        public func isFromTheFuture(now: Int64) -> Bool {
            let (latest, isOverflow) = now.addingReportingOverflow(Self.futureMillisecondsMax)
            return !isOverflow && startedAt > latest
        }

        /// Whether a restore made it of what it was about to replace.
        public var isPreRestore: Bool { id.kind == SnapshotID.preRestoreKind }

        /// Whether a backup took it; others were made of archives.
        public var isTaken: Bool {
            !SnapshotID.derivedKinds.contains(id.kind)
        }

        /// When it was begun, in milliseconds since 1970 UTC; of one that can't be read, by its
        /// identifier.
        public var startedAt: Int64 { facts?.startedAt ?? id.milliseconds ?? 0 }
    }

    /// What a manifest and a trailer say, without the namespaces.
    public struct Facts: Hashable, Sendable {
        /// The identifier in the manifest: another one when the file was renamed.
        public var manifestID: String
        /// When the backup began and ended, in milliseconds since 1970 UTC.
        public var startedAt: Int64
        public var finishedAt: Int64
        public var documentCount: UInt64
        /// Bytes of all documents, uncompressed.
        public var documentByteCount: UInt64
        public var namespaceCount: Int
        public var consistency: Manifest.Consistency
        public var compression: Compression
        public var description: String?
        public var loss: Manifest.Loss?
        public var tool: String
        public var source: Manifest.Source
        /// The hash that stands for the whole archive.
        public var seal: SHA256Digest

        init(_ manifest: Manifest, seal: SHA256Digest) {
            manifestID = manifest.id
            startedAt = manifest.startedAt
            finishedAt = manifest.finishedAt
            documentCount = manifest.documentCount
            documentByteCount = manifest.documentByteCount
            namespaceCount = manifest.namespaces.count
            consistency = manifest.consistency
            compression = manifest.compression
            description = manifest.description
            loss = manifest.loss
            tool = manifest.tool
            source = manifest.source
            self.seal = seal
        }

        /// How long the backup took.
        public var seconds: Double { Double(max(0, finishedAt - startedAt)) / 1000 }
    }
}
