internal import ObjectStorage

/// Getting a lock.
extension RepositoryLocks {
    /// How long others are given to find out that they come later. Time alone would not do: after
    /// a pause of the whole machine it would be over for everyone, and nobody would get the lock.
    private struct Patience {
        private static let lookCountMin = 50
        private let secondsMin: Double
        private let start = ContinuousClock.now
        private var lookCount = 0

        init(secondsMin: Double) {
            self.secondsMin = secondsMin
        }

        /// Counts a look, and says whether there may be another.
        mutating func looksOnceMore() -> Bool {
            lookCount += 1
            return lookCount < Self.lookCountMin
                || start.duration(to: .now).inSeconds < secondsMin
        }
    }

    /// What came of asking once.
    private enum Outcome {
        /// Since when at the latest its file has been written.
        case held(RepositoryLock, LockTime)
        case beaten(by: RepositoryLock?, why: String)
    }

    private static let decisionPause = Duration.milliseconds(10)
    private static let waitPause = Duration.milliseconds(250)

    /// Nil when the job may continue without, because the repository can't be written.
    func acquire(
        _ claim: LockClaim, _ waitSeconds: Double, _ observer: any JobObserver
    ) async throws -> (RepositoryLock, LockTime)? {
        let clock = ContinuousClock()
        let start = clock.now
        var patience = Patience(secondsMin: decisionSecondsMin)
        let since = environment.now()
        var hasTold = false
        while true {
            let outcome: Outcome
            do {
                outcome = try await ask(claim, since, observer)
            } catch let error as ObjectStorageError {
                guard try await mayDoWithout(claim, error, observer) else { throw error }
                return nil
            }
            guard case .beaten(let rival, let why) = outcome else {
                if case .held(let lock, let time) = outcome { return (lock, time) }
                continue
            }
            // One that only asks is no reason to fail while it may find out that it comes later.
            let isOnlyAsked = rival.map { !$0.isHeld } ?? false
            let isPatient = isOnlyAsked && patience.looksOnceMore()
            guard isPatient || start.duration(to: clock.now).inSeconds < waitSeconds else {
                throw SnapshotError(.locked, why)
            }
            if !isOnlyAsked, !hasTold {
                observer.noticed("waiting: \(why)")
                hasTold = true
            }
            // Others are seen by their files only, and files can't be waited for everywhere.
            let pause = isOnlyAsked ? Self.decisionPause : Self.waitPause
            try await Task.sleep(for: pause * (1 + Double(environment.random() % 256) / 256))
        }
    }

    /// Asks for a lock once; when it is not available, no mark is left.
    private func ask(
        _ claim: LockClaim, _ since: Int64, _ observer: any JobObserver
    ) async throws -> Outcome {
        let lock = RepositoryLock(
            claim, name: makeName(), owner: owner, hostName: OwnerToken.hostName, since: since)
        try await write(lock)
        do {
            let outcome = try await decide(lock, observer)
            if case .beaten = outcome { await release(lock, observer) }
            return outcome
        } catch {
            await release(lock, observer)
            throw error
        }
    }

    private func decide(
        _ lock: RepositoryLock, _ observer: any JobObserver
    ) async throws -> Outcome {
        var patience = Patience(secondsMin: decisionSecondsMin)
        // Those that may have looked before this one could be seen. Whoever comes later sees it.
        var undecided: Set<String>?
        while true {
            let rivals = try await rivals(of: lock, observer)
            if let rival = rivals.first(where: { $0.lock?.isHeld ?? true }) {
                return .beaten(by: rival.lock, why: rival.why)
            }
            if let rival = rivals.first(where: { $0.lock?.precedes(lock) ?? true }) {
                return .beaten(by: rival.lock, why: rival.why)
            }
            undecided = (undecided ?? Set(rivals.compactMap(\.lock?.name)))
                .intersection(rivals.compactMap(\.lock?.name))
            guard
                let later = rivals.first(where: { undecided?.contains($0.lock?.name ?? "") == true }
                )
            else {
                return try await take(lock)
            }
            // It withdraws as soon as it sees this one, or has got its own before it could.
            guard patience.looksOnceMore() else {
                return .beaten(by: later.lock, why: later.why)
            }
            try await Task.sleep(for: Self.decisionPause)
        }
    }

    /// Says in the file of a lock that it is held.
    private func take(_ lock: RepositoryLock) async throws -> Outcome {
        let time = now()
        do {
            try await store.appendToMark(RepositoryLock.heldLine, lock.name, RepositoryLock.mark)
        } catch let error as ObjectStorageError where error.code == .notFound {
            throw SnapshotError(
                .lockLost,
                "lock lost: another process has removed the lock that this "
                    + "\(lock.claim.operation.rawValue) asked for before it got it, as if its "
                    + "process were dead; run it again")
        }
        var held = lock
        held.isHeld = true
        return .held(held, time)
    }

    /// Those that exclude this one; others whose owners are gone are removed on the way.
    private func rivals(
        of lock: RepositoryLock, _ observer: any JobObserver
    ) async throws -> [(lock: RepositoryLock?, why: String)] {
        // The clock of the repository's file system, not of this host.
        let own = try await store.marks(RepositoryLock.mark).first { $0.key == lock.name }
        let now = own?.modifiedAtSeconds ?? environment.now() / 1000
        var rivals: [(lock: RepositoryLock?, why: String)] = []
        for sight in try await look(nowSeconds: now) {
            switch sight {
            case .lock(let other):
                guard other.name != lock.name, let why = lock.claim.conflict(with: other.claim)
                else { continue }
                rivals.append((other, "\(other.sentence) \(why)"))
            case .unknown(let name):
                rivals.append((nil, "a lock that can't be read (.\(name).lock) is in the way"))
            case .stale(let name, let other):
                observer.noticed(
                    "broke the lock of \(other?.sentence ?? "an unknown job,") which is gone")
                try await store.removeMark(name, RepositoryLock.mark)
            }
        }
        return rivals
    }

    /// Whether a job may run although its lock can't be written. One that removes snapshots may
    /// when the disk is full and nobody is seen to be in its way: it may be what makes room again.
    private func mayDoWithout(
        _ claim: LockClaim, _ error: ObjectStorageError, _ observer: any JobObserver
    ) async throws -> Bool {
        guard error.code == .notWritable || error.code == .noSpace else { return false }
        guard claim.changesRepository else {
            if claim.namespaces != nil {
                observer.noticed(
                    "no lock could be written, so that nothing keeps others from the same "
                        + "collections: \(error.summary)")
            }
            return true
        }
        guard error.code == .noSpace, claim.operation != .backup else { return false }
        for lock in try await list() {
            if let why = claim.conflict(with: lock.claim) {
                throw SnapshotError(.locked, "\(lock.sentence) \(why)")
            }
        }
        observer.noticed("there is no room for a lock: \(error.summary)")
        return true
    }
}
