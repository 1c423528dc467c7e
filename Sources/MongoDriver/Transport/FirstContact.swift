import BSONBytes
import CMongoC
import Dispatch
import Glibc
import Synchronization

/// Finds out, before a pool's first command, whether a server answers, and if none does, why not:
/// libmongoc would try again until its time is over, and say that no server was suitable.
struct FirstContact: Sendable {
    /// What connecting and an answer may take in all, in milliseconds, where the connection string
    /// does not allow more for connecting, and the most that it can allow.
    private static let attemptMilliseconds = (usual: 5000, most: 8000)
    /// What each further look into a failure may take.
    private static let diagnosisMilliseconds = 1500
    /// When a refused connection is tried once more: a server may be starting.
    private static let pauseMilliseconds = 300

    private let dialer: Dialer
    private let servers: NamedServers

    init(_ dialer: Dialer, _ servers: NamedServers) {
        self.dialer = dialer
        self.servers = servers
    }

    /// Returns when a server has answered that may be the one that is meant.
    ///
    /// - Throws: `MongoError`: the surest of the servers' failures; `CancellationError`.
    func make() async throws {
        let link = ConnectionLink(dialer)
        let result: Result<Void, MongoError> = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                DispatchQueue(label: "cairn.first-contact").async {
                    do throws(MongoError) {
                        try reach(link)
                        continuation.resume(returning: .success(()))
                    } catch { continuation.resume(returning: .failure(error)) }
                }
            }
        } onCancel: {
            link.cancel()
        }
        try Task.checkCancellation()
        try result.get()
    }

    // MARK: Several servers

    private func reach(_ link: ConnectionLink) throws(MongoError) {
        let (place, greeting) = try firstAnswer(of: servers.places, link) {
            greeting, place throws(MongoError) in
            try check(greeting, place)
        }
        guard servers.looksForMembers, !greeting.members.isEmpty,
            !greeting.members.contains(where: { member in
                servers.places.contains {
                    $0.description.lowercased() == member.description.lowercased()
                }
            })
        else { return }
        do {
            _ = try firstAnswer(of: greeting.members, link) { _, _ in }
        } catch {
            throw MongoError(
                .serverSelection,
                "the server \(place) answers, but not by the names that its replica set's "
                    + "configuration gives the members: \(error.message); use names that are known "
                    + "here, or add directConnection=true to the connection string")
        }
    }

    /// Asks all at once, and takes the first answer that will do.
    private func firstAnswer(
        of places: [ServerPlace], _ link: ConnectionLink,
        _ check: @escaping @Sendable (Greeting, ServerPlace) throws(MongoError) -> Void
    ) throws(MongoError) -> (ServerPlace, Greeting) {
        let answers = AnswerBox()
        for place in places {
            DispatchQueue(label: "cairn.first-contact").async {
                let result: Result<Greeting, MongoError>
                do throws(MongoError) {
                    let greeting = try greet(place, link)
                    try check(greeting, place)
                    result = .success(greeting)
                } catch { result = .failure(error) }
                answers.add(place, result)
            }
        }
        return try answers.first(of: places.count)
    }

    /// What the servers have answered so far.
    private final class AnswerBox: Sendable {
        private let answers = Mutex<[(ServerPlace, Result<Greeting, MongoError>)]>([])
        private let semaphore = DispatchSemaphore(value: 0)

        func add(_ place: ServerPlace, _ result: Result<Greeting, MongoError>) {
            answers.withLock { $0.append((place, result)) }
            semaphore.signal()
        }

        /// Waits for the first success, else for the last failure. Each thread has its deadline.
        func first(of count: Int) throws(MongoError) -> (ServerPlace, Greeting) {
            for index in 0..<count {
                semaphore.wait()
                let (place, result) = answers.withLock { $0[index] }
                if case .success(let greeting) = result { return (place, greeting) }
            }
            throw failure
        }

        /// One that no waiting can mend, else all of them.
        private var failure: MongoError {
            let failures = answers.withLock { answers in
                answers.compactMap { _, result -> MongoError? in
                    guard case .failure(let error) = result else { return nil }
                    return error
                }
            }
            if let lasting = failures.first(where: { !$0.isNetworkError }) { return lasting }
            guard let first = failures.first, failures.count > 1 else {
                return failures.first ?? MongoError(.serverSelection, "there is no server to ask")
            }
            let texts = failures.map { $0.message }
            return MongoError(first.code, texts.joined(separator: "; "), server: nil)
        }
    }

    // MARK: One server

    /// What a server says of itself.
    private struct Greeting: Sendable {
        var setName: String?
        var members: [ServerPlace] = []
        var isRouter = false
        var isWaitingForConfiguration = false
        /// Whether it says anything: one that asks for an API version does not.
        var isComplete = true

        init(_ reply: BSONDocument) throws(MongoError) {
            isComplete = try reply.field("maxWireVersion", \.wholeNumber) != nil
            setName = try reply.field("setName", \.string)
            isRouter = try reply.field("msg", \.string) == "isdbgrid"
            isWaitingForConfiguration = try reply.field("isreplicaset", \.bool) ?? false
            let names = try reply.strings(in: "hosts") + reply.strings(in: "passives")
            members = names.compactMap { ServerPlace($0) }
        }
    }

    private func greet(_ place: ServerPlace, _ link: ConnectionLink) throws(MongoError) -> Greeting
    {
        do {
            return try Greeting(attempt(place, link))
        } catch let error as DialError where error.kind == .refused && !link.isCancelled {
            usleep(UInt32(Self.pauseMilliseconds * 1000))
            do { return try Greeting(attempt(place, link)) } catch {
                throw explained(error, place, link)
            }
        } catch { throw explained(error, place, link) }
    }

    private var milliseconds: Int {
        max(
            Self.attemptMilliseconds.usual,
            min(dialer.connectMilliseconds, Self.attemptMilliseconds.most))
    }

    private func attempt(_ place: ServerPlace, _ link: ConnectionLink) throws -> BSONDocument {
        let deadline = Deadline(milliseconds: milliseconds)
        let stream = try dialer.open(dialer.host(place), for: link, until: deadline)
        return try HelloConnection(stream, link).ask(until: deadline)
    }

    private func check(_ greeting: Greeting, _ place: ServerPlace) throws(MongoError) {
        guard let setName = servers.setName, greeting.isComplete, greeting.setName != setName else {
            return
        }
        let way = "correct or remove replicaSet=\(setName) in the connection string"
        if let found = greeting.setName {
            throw MongoError(
                .wrongReplicaSet,
                "the server \(place) belongs to the replica set \"\(found)\", not \"\(setName)\"; "
                    + way)
        }
        guard !greeting.isWaitingForConfiguration else {
            throw MongoError(
                .serverSelection,
                "the replica set of the server \(place) was not initiated, or the server has not "
                    + "read its configuration yet")
        }
        let kind = greeting.isRouter ? "a router of a sharded cluster" : "a standalone server"
        throw MongoError(
            .wrongReplicaSet,
            "the server \(place) is \(kind), not a member of the replica set \"\(setName)\"; \(way)"
        )
    }

    // MARK: Why not

    private func explained(
        _ error: any Error, _ place: ServerPlace, _ link: ConnectionLink
    ) -> MongoError {
        switch error {
        case let error as MongoError: error
        case let error as DialError: explained(error, place)
        case let error as Dialer.HandshakeError: explained(error, place, link)
        case let error as HelloConnection.Failure: explained(error, place, link)
        default: MongoError(.network, "the server \(place) can't be asked: \(error)")
        }
    }

    private func explained(_ error: DialError, _ place: ServerPlace) -> MongoError {
        let way =
            switch error.kind {
            case .unknownName: "is the name in the connection string right?"
            case .refused: "does the server run, and is the port right?"
            case .timedOut, .unreachable:
                "is the address right, and does a firewall let it through?"
            default: "is the connection string right?"
            }
        return MongoError(
            .serverSelection, "the server \(place) can't be reached: \(error.detail); \(way)")
    }

    private func explained(
        _ error: Dialer.HandshakeError, _ place: ServerPlace, _ link: ConnectionLink
    ) -> MongoError {
        guard !error.isSilence, let tls = dialer.tls else {
            return silence(place, "the TLS handshake")
        }
        do {
            let deadline = Deadline(milliseconds: Self.diagnosisMilliseconds)
            let stream = try dialer.openPlain(dialer.host(place), for: link, until: deadline)
            _ = try HelloConnection(stream, link).ask(until: deadline)
            return MongoError(
                .tls,
                "the server \(place) does not use TLS; remove tls=true and what else is about TLS "
                    + "from the connection string")
        } catch let failure as HelloConnection.Failure where failure.kind == .foreign {
            return foreign(failure, place)
        } catch {}  // It takes no plain connections either, as is right.
        if shakesHands(place, tls.trusting(.anyName), link) {
            return MongoError(
                .tls,
                "the certificate of the server \(place) is for another name; use a name that is in "
                    + "it, or tlsAllowInvalidHostnames=true to trust it under any")
        }
        if shakesHands(place, tls.trusting(.anybody), link) {
            let way =
                tls.authorityFile.map { "is the file \($0) (tlsCAFile) that of its authority?" }
                ?? "give the file with its authority's certificate as tlsCAFile"
            return MongoError(
                .tls,
                "the certificate of the server \(place) is not trusted: \(error.detail); \(way)")
        }
        return MongoError(
            .tls, "the TLS handshake with the server \(place) failed: \(error.detail)")
    }

    private func explained(
        _ error: HelloConnection.Failure, _ place: ServerPlace, _ link: ConnectionLink
    ) -> MongoError {
        switch error.kind {
        case .silent, .givenUp: return silence(place, "a question")
        case .foreign: return foreign(error, place)
        case .ended:
            if let tls = dialer.tls {
                let way =
                    tls.certificateFile.map {
                        "does it accept the certificate in \($0) (tlsCertificateKeyFile)?"
                    } ?? "if it requires client certificates, give tlsCertificateKeyFile"
                return MongoError(
                    .tls,
                    "the server \(place) ended the connection after the TLS handshake; \(way)")
            }
            guard shakesHands(place, .ofAnybody(), link) else {
                return MongoError(
                    .network, "the server \(place) ended the connection without an answer")
            }
            return MongoError(
                .tls,
                "the server \(place) requires TLS; add tls=true to the connection string, and "
                    + "tlsCAFile=FILE unless the system trusts its authority")
        }
    }

    private func silence(_ place: ServerPlace, _ what: String) -> MongoError {
        MongoError(
            .serverSelection,
            "the server \(place) took the connection and did not answer \(what) within "
                + "\(milliseconds / 1000) s; it hangs, or it is not a MongoDB server")
    }

    private func foreign(_ failure: HelloConnection.Failure, _ place: ServerPlace) -> MongoError {
        let text = String(
            decoding: failure.bytes.prefix(12).map { 0x20..<0x7F ~= $0 ? $0 : UInt8(ascii: "?") },
            as: UTF8.self)
        let isWeb = ["HTTP/", "<!DOCTYPE", "<html"].contains { text.hasPrefix($0) }
        let what =
            isWeb ? "it speaks HTTP" : "its answer begins with \"\(text)\""
        return MongoError(
            .notMongoDB,
            "what listens at \(place) is not a MongoDB server: \(what); is the port right?")
    }

    private func shakesHands(
        _ place: ServerPlace, _ tls: TLSSettings, _ link: ConnectionLink
    ) -> Bool {
        let deadline = Deadline(milliseconds: Self.diagnosisMilliseconds)
        do {
            let stream = try dialer.openPlain(dialer.host(place), for: link, until: deadline)
            mongoc_stream_destroy(
                try Dialer.secure(stream, tls, place, link, until: deadline))
            return true
        } catch { return false }
    }
}
