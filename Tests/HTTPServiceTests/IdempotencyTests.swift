internal import AccessControl
internal import Crypto
internal import Foundation
internal import HTTPTypes
internal import ServiceState
internal import Testing

@testable internal import HTTPService

/// A request that is repeated with its key is answered as before, and done once.
@Suite struct IdempotencyTests {
    private static let key = ["Idempotency-Key": "key-1"]

    @Test(arguments: Way.allCases)
    func aRepetitionIsAnsweredAlikeAndBeginsNothing(_ way: Way) async throws {
        try await ServiceFixture.withoutServer().serve(way, doesJobs: false) { client in
            let first = try await client.post("backup/create", "{}", headers: Self.key)
            let second = try await client.post("backup/create", "{}", headers: Self.key)
            #expect(first.status == 202)
            #expect(second.status == 202)
            #expect(second.text == first.text)
            #expect(second.header("Location") == first.header("Location"))
            #expect(first.header("Idempotency-Replayed") == nil)
            #expect(second.header("Idempotency-Replayed") == "true")
            #expect(try await client.get("jobs").number("total") == 1)
        }
    }

    @Test(arguments: Way.allCases)
    func aKeyIsForOneRequestOnly(_ way: Way) async throws {
        let fixture = try await ServiceFixture.withoutServer()
        try fixture.plantDamagedBackup()
        try await fixture.serve(way, doesJobs: false) { client in
            _ = try await client.post("backup/create", "{}", headers: Self.key)
            let other = try await client.post(
                "backup/create", #"{"codec": "zstd"}"#, headers: Self.key)
            #expect(other.status == 422)
            #expect(try other.string("code") == "key_reused")
            let elsewhere = try await client.post(
                "backup/\(ServiceFixture.damagedBackup)/verify", headers: Self.key)
            #expect(elsewhere.status == 422)
            #expect(try await client.get("jobs").number("total") == 1)
        }
    }

    @Test(arguments: Way.allCases)
    func everySubjectHasKeysOfItsOwn(_ way: Way) async throws {
        try await ServiceFixture.withoutServer().serve(way, doesJobs: false) { client in
            let mine = try await client.post("backup/create", "{}", headers: Self.key)
            let theirs = try await client.post(
                "backup/create", "{}", as: .admin, headers: Self.key)
            #expect(theirs.status == 202)
            #expect(try mine.string("job_id") != theirs.string("job_id"))
        }
    }

    @Test(arguments: Way.allCases)
    func twentyAtOnceMakeOneJob(_ way: Way) async throws {
        try await ServiceFixture.withoutServer().serve(way, doesJobs: false) { client in
            let answers = try await withThrowingTaskGroup(of: Answer.self) { group in
                for _ in 0..<20 {
                    group.addTask {
                        try await client.post("backup/create", "{}", headers: Self.key)
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            let jobs = Set(try answers.filter { $0.status == 202 }.map { try $0.string("job_id") })
            #expect(jobs.count == 1)
            #expect(answers.allSatisfy { $0.status == 202 || $0.status == 409 })
            #expect(try await client.get("jobs").number("total") == 1)
        }
    }

    @Test func aRequestThatWasRefusedLeavesItsKeyFree() async throws {
        try await ServiceFixture.withoutServer().serve(doesJobs: false) { client in
            let path = "backup/\(ServiceFixture.damagedBackup)/verify"
            #expect(try await client.post(path, headers: Self.key).status == 404)
            try client.fixture.plantDamagedBackup()
            #expect(try await client.post(path, headers: Self.key).status == 202)
        }
    }

    @Test func anAnswerIsKeptWhenTheServiceIsStartedAgain() async throws {
        let fixture = try await ServiceFixture.withoutServer()
        let first = try await fixture.firstAnswer {
            try await $0.post("backup/create", "{}", headers: Self.key)
        }
        try await fixture.serve { client in
            let second = try await client.post("backup/create", "{}", headers: Self.key)
            #expect(second.text == first.text)
            #expect(try await client.get("jobs").number("total") == 1)
        }
    }

    @Test func aKeyIsForgottenAfterADay() async throws {
        try await ServiceFixture.withoutServer().serve(doesJobs: false) { client in
            let extras = ServiceClient.Extras(headers: Self.key, body: "{}")
            let first = try await client.send(.post, "backup/create", extras)
            client.fixture.clock.advance(seconds: 86_400)
            var later = extras
            later.token = try await client.fixture.issuer.issue(
                TokenGrant(subject: "super_admin-person", role: .superAdmin, lifetimeSeconds: 60),
                now: client.fixture.clock.date)
            let second = try await client.send(.post, "backup/create", later)
            #expect(second.status == 202)
            #expect(try second.string("job_id") != first.string("job_id"))
        }
    }

    /// What a process leaves that dies between the job and the answer.
    @Test func aJobWhoseAnswerWasNeverGivenAnswersForItself() async throws {
        let fixture = try await ServiceFixture.withoutServer()
        let job = "20240101T000000Z-backup-0a1b2c"
        do {
            let state = try await StateStore(folder: fixture.options.stateFolder)
            defer { state.close() }
            let request = Data("POST /api/phase14/backup/create\n{}".utf8)
            let hash = SHA256.hash(data: request).map { byte in
                (byte < 16 ? "0" : "") + String(byte, radix: 16)
            }.joined()
            let key = IdempotencyKey(key: "key-1", subject: "super_admin-person")
            let now = fixture.clock.milliseconds
            let claim = try await state.claim(
                key: key.key, subject: key.subject, fingerprint: hash, now: now)
            #expect(claim == .new)
            try await state.insertJob(
                JobRecord(
                    id: job, kind: "backup", createdBy: key.subject, createdAt: now,
                    request: #"{"kind": "backup", "request": {}}"#,
                    snapshotID: ServiceFixture.damagedBackup, isResumable: true), claim: key)
        }
        try await fixture.serve { client in
            let answer = try await client.post("backup/create", "{}", headers: Self.key)
            #expect(try answer.string("job_id") == job)
            #expect(try answer.string("status") == "FAILED")
            #expect(answer.header("Idempotency-Replayed") == "true")
            #expect(try await client.get("jobs").number("total") == 1)
        }
    }
}

extension ServiceFixture {
    /// What a service answers that ends afterwards and does no jobs.
    func firstAnswer(
        _ body: @escaping @Sendable (ServiceClient) async throws -> Answer
    ) async throws -> Answer {
        let (answers, input) = AsyncStream.makeStream(of: Answer.self)
        try await serve(doesJobs: false) { input.yield(try await body($0)) }
        input.finish()
        for await answer in answers { return answer }
        throw CancellationError()
    }
}
