import GRDB
import Testing

@testable import ServiceState

@Suite struct JobTests {
    private let folder = TemporaryFolder()
    private let store: StateStore

    init() async throws {
        store = try await StateStore(folder: folder.path)
    }

    @Test func aJobIsReadAsItWasWritten() async throws {
        let job = JobRecord(
            id: "a", kind: "restore", createdBy: "ann", createdAt: 1, request: "{\"ü\":[1]}",
            snapshotID: "s", progress: "{}", resumes: "b", isResumable: true, requestID: "r",
            address: "::1", role: "admin")
        try await store.insertJob(.made("b"))
        try await store.insertJob(job)
        #expect(try await store.job("a") == job)
        #expect(try await store.job("b")?.resumedBy == "a")
        #expect(try await store.job("c") == nil)
    }

    @Test func oneJobAtMostGoesOnWithAnother() async throws {
        func later(_ id: String, resumes: String) -> JobRecord {
            var job = JobRecord.made(id)
            job.resumes = resumes
            return job
        }
        try await store.insertJob(.made("first"))
        let store = store
        let codes = await withTaskGroup(of: StateError.Code?.self) { group in
            for number in 0..<8 {
                group.addTask {
                    await codeThrown {
                        try await store.insertJob(later("later-\(number)", resumes: "first"))
                    }
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(codes.count { $0 == nil } == 1)
        #expect(codes.count { $0 == .invalidTransition } == 7)
        #expect(try await store.unfinishedJobCount() == 2)
        #expect(
            await codeThrown { try await store.insertJob(later("x", resumes: "unknown")) }
                == .notFound)
    }

    @Test func aJobGoesItsWay() async throws {
        try await store.insertJob(.made("a"))
        try await store.updateJob("a", JobUpdate(status: .inProgress), at: 2000)
        try await store.updateJob(
            "a", JobUpdate(progress: "{\"done\":1}", isResumable: true), at: 2500)
        let job = try await store.updateJob(
            "a", JobUpdate(status: .succeeded, result: "{\"n\":1}", snapshotID: "s"), at: 3000)
        #expect(job == (try await store.job("a")))
        #expect(job.startedAt == 2000 && job.finishedAt == 3000)
        #expect(job.progress == "{\"done\":1}" && job.result == "{\"n\":1}")
        #expect(job.snapshotID == "s" && job.isResumable && job.error == nil)
    }

    @Test func onlyTheseTransitionsAreMade() async throws {
        let allowed: [JobStatus: Set<JobStatus>] = [
            .pending: [.inProgress, .canceled, .failed],
            .inProgress: [.succeeded, .partiallyFailed, .failed, .canceled],
        ]
        for from in JobStatus.allCases {
            for next in JobStatus.allCases {
                let id = "\(from)-\(next)"
                try await store.insertJob(.made(id))
                if from == .inProgress {
                    try await store.updateJob(id, JobUpdate(status: from), at: 1)
                } else if from.isTerminal {
                    try await store.end(id, as: from, at: 2)
                }
                let before = try await store.job(id)
                let code = await codeThrown {
                    try await store.updateJob(id, JobUpdate(status: next), at: 3)
                }
                if allowed[from]?.contains(next) ?? false {
                    #expect(code == nil, "\(id)")
                    #expect(try await store.job(id)?.status == next)
                } else {
                    #expect(code == .invalidTransition, "\(id)")
                    #expect(try await store.job(id) == before)
                }
            }
        }
    }

    @Test func nothingOfAnEndedJobChanges() async throws {
        try await store.insertJob(.made("a"))
        try await store.end("a", as: .failed, at: 2000)
        let code = await codeThrown {
            try await store.updateJob("a", JobUpdate(progress: "{}"), at: 3000)
        }
        #expect(code == .invalidTransition)
    }

    @Test func whatCannotBeWrittenIsRefused() async throws {
        try await store.insertJob(.made("a"))
        #expect(await codeThrown { try await store.insertJob(.made("a")) } == .alreadyExists)
        #expect(await codeThrown { try await store.insertJob(.made("b\0")) } == .invalidValue)
        var job = JobRecord.made("b")
        job.request = "{not JSON"
        #expect(await codeThrown { try await store.insertJob(job) } == .invalidValue)
        job.request = "\"" + String(repeating: "x", count: 1 << 20) + "\""
        #expect(await codeThrown { try await store.insertJob(job) } == .invalidValue)
        job = .made("b")
        job.status = .succeeded
        #expect(await codeThrown { try await store.insertJob(job) } == .invalidValue)
        let code = await codeThrown { try await store.updateJob("no", JobUpdate(), at: 1) }
        #expect(code == .notFound)
        #expect(try await store.jobs().totalCount == 1)
    }

    @Test func aChangeAndItsEventAreOne() async throws {
        let broken = JobEventDraft(type: "status", data: "no JSON")
        #expect(
            await codeThrown { try await store.insertJob(.made("a"), event: broken) }
                == .invalidValue)
        #expect(try await store.job("a") == nil)
        let event = JobEventDraft(type: "status", data: "{\"status\":\"PENDING\"}")
        try await store.insertJob(.made("a"), event: event)
        let code = await codeThrown {
            try await store.updateJob(
                "a", JobUpdate(status: .inProgress), event: broken, at: 2000)
        }
        #expect(code == .invalidValue)
        #expect(try await store.job("a")?.status == .pending)
        #expect(try await store.events(jobID: "a").map(\.data) == [event.data])
    }

    @Test func interruptedJobsHaveFailed() async throws {
        for (id, instant) in [("c", 3), ("a", 1), ("b", 2), ("d", 4)] as [(String, Int64)] {
            try await store.insertJob(.made(id, at: instant))
        }
        try await store.updateJob("b", JobUpdate(status: .inProgress), at: 5)
        try await store.end("c", as: .canceled, at: 6)
        #expect(try await store.unfinishedJobs().map(\.id) == ["a", "b", "d"])
        let jobs = try await store.failInterruptedJobs(reason: "killed \"hard\" / ü", at: 9)
        #expect(jobs.map(\.id) == ["a", "b", "d"])
        let error = "{\"code\":\"interrupted\",\"message\":\"killed \\\"hard\\\" / ü\"}"
        for job in jobs {
            #expect(job.status == .failed && job.finishedAt == 9 && job.error == error)
            #expect(try await store.job(job.id) == job)
            let events = try await store.events(jobID: job.id)
            #expect(events.map(\.data) == ["{\"status\":\"FAILED\",\"error\":\(error)}"])
        }
        #expect(try await store.unfinishedJobs() == [])
        #expect(try await store.failInterruptedJobs(reason: "again", at: 10) == [])
        #expect(try await store.job("c")?.status == .canceled)
    }

    // MARK: Lists

    @Test(arguments: [1, 2, 3, 100])
    func pagesShowEachJobOnceNewestFirst(limit: Int) async throws {
        // Many of one instant, whose ids decide, some of which have what cursors are made of.
        for (number, id) in ["a/b", "a", "ü/1", "ü", "z//"].enumerated() {
            try await store.insertJob(.made(id, at: 5))
            try await store.insertJob(.made("\(number)", at: Int64(number)))
        }
        let expected = ["ü/1", "ü", "z//", "a/b", "a", "4", "3", "2", "1", "0"]
        #expect(try await store.allPages(limit: limit).map(\.id) == expected)
        let page = try await store.jobs(limit: limit)
        #expect(page.totalCount == 10 && page.jobs.count == min(limit, 10))
        #expect((page.nextCursor == nil) == (limit == 100))
    }

    @Test func jobsThatAreMadeMeanwhileDoNotShiftPages() async throws {
        for number in 0..<4 { try await store.insertJob(.made("\(number)", at: Int64(number))) }
        let first = try await store.jobs(limit: 2)
        try await store.insertJob(.made("new", at: 100))
        let second = try await store.jobs(after: first.nextCursor, limit: 2)
        #expect((first.jobs + second.jobs).map(\.id) == ["3", "2", "1", "0"])
        #expect(second.nextCursor == nil && second.totalCount == 5)
    }

    @Test func filtersMustAllMatch() async throws {
        for number in 0..<24 {
            var job = JobRecord.made(
                "\(number)", kind: number % 2 == 0 ? "backup" : "verify", at: Int64(number))
            job.snapshotID = number % 3 == 0 ? "s" : nil
            job.createdBy = number % 4 < 2 ? "ann" : "ben"
            try await store.insertJob(job)
            if number < 12 { try await store.end(job.id, as: .failed, at: 100) }
        }
        func found(_ filter: JobFilter) async throws -> Set<Int> {
            let jobs = try await store.allPages(filter, limit: 5)
            #expect(try await store.jobs(filter).totalCount == jobs.count)
            return Set(jobs.compactMap { Int($0.id) })
        }
        let all = 0..<24
        #expect(try await found(JobFilter(kind: "verify")) == Set(all.filter { $0 % 2 == 1 }))
        #expect(try await found(JobFilter(snapshotID: "s")) == Set(all.filter { $0 % 3 == 0 }))
        #expect(try await found(JobFilter(createdBy: "ben")) == Set(all.filter { $0 % 4 > 1 }))
        #expect(try await found(JobFilter(status: .failed)) == Set(0..<12))
        #expect(try await found(JobFilter(since: 3, until: 7)) == Set(3..<7))
        let filter = JobFilter(
            status: .failed, kind: "backup", snapshotID: "s", createdBy: "ben", since: 3, until: 9)
        #expect(try await found(filter) == [6])
        #expect(try await found(JobFilter(kind: "' OR 1=1 --")) == [])
    }

    @Test(arguments: ["", "x", "!!!", "am9icw", "am9icy8x", "YXVkaXQvMS8", "am9icy8wMS9h"])
    func aCursorOfAnythingElseIsRefused(cursor: String) async throws {
        #expect(await codeThrown { _ = try await store.jobs(after: cursor) } == .invalidCursor)
    }

    @Test func aLimitIsKeptWithinBounds() async throws {
        for number in 0..<3 { try await store.insertJob(.made("\(number)")) }
        #expect(try await store.jobs(limit: -5).jobs.count == 1)
        #expect(try await store.jobs(limit: .max).jobs.count == 3)
    }

    // MARK: Pruning

    @Test func oldJobsGoAndUnfinishedOnesStay() async throws {
        for number in 0..<8 { try await store.insertJob(.made("\(number)", at: Int64(number))) }
        for number in 2..<8 {
            try await store.end("\(number)", as: .succeeded, at: Int64(100 + number))
        }
        #expect(try await store.pruneJobs(keepNewest: nil, finishedBefore: nil) == 0)
        #expect(try await store.pruneJobs(keepNewest: nil, finishedBefore: 103) == 1)
        #expect(
            try await store.allPages(limit: 9).map(\.id) == ["7", "6", "5", "4", "3", "1", "0"])
        #expect(try await store.pruneJobs(keepNewest: 2, finishedBefore: nil) == 3)
        #expect(try await store.allPages(limit: 9).map(\.id) == ["7", "6", "1", "0"])
        #expect(try await store.pruneJobs(keepNewest: 0, finishedBefore: 0) == 2)
        #expect(try await store.allPages(limit: 9).map(\.id) == ["1", "0"])
    }

    @Test func aJobStaysWhileAnotherGoesOnWithIt() async throws {
        try await store.insertJob(.made("first"))
        try await store.end("first", as: .failed, at: 2000)
        var next = JobRecord.made("next", at: 3000)
        next.resumes = "first"
        try await store.insertJob(next)
        #expect(try await store.pruneJobs(keepNewest: 0, finishedBefore: nil) == 0)
        try await store.end("next", as: .succeeded, at: 4000)
        #expect(try await store.pruneJobs(keepNewest: 0, finishedBefore: nil) == 2)
    }

    // MARK: Events

    @Test func eventsComeInOrderFromAnyOneOn() async throws {
        for id in ["a", "b"] { try await store.insertJob(.made(id)) }
        var ids: [Int64] = []
        for number in 0..<6 {
            ids.append(
                try await store.appendEvent(
                    jobID: number % 2 == 0 ? "a" : "b", type: "progress", data: "\(number)",
                    at: Int64(number)))
        }
        #expect(ids == ids.sorted() && Set(ids).count == 6)
        #expect(try await store.events(jobID: "a").map(\.data) == ["0", "2", "4"])
        #expect(try await store.events(jobID: "a", after: ids[0]).map(\.id) == [ids[2], ids[4]])
        #expect(try await store.events(jobID: "a", limit: 1).map(\.id) == [ids[0]])
        #expect(try await store.events(jobID: "a", after: ids[4]) == [])
        let code = await codeThrown {
            try await store.appendEvent(jobID: "c", type: "x", data: "1", at: 1)
        }
        #expect(code == .notFound)
    }

    @Test func eventsGoWithTheirJobAndTheirIDsAreNotUsedAgain() async throws {
        try await store.insertJob(.made("a"))
        let id = try await store.appendEvent(jobID: "a", type: "x", data: "1", at: 1)
        try await store.end("a", as: .canceled, at: 2)
        #expect(try await store.pruneJobs(keepNewest: 0, finishedBefore: nil) == 1)
        #expect(try await store.events(jobID: "a") == [])
        try await store.insertJob(.made("a"))
        #expect(try await store.appendEvent(jobID: "a", type: "x", data: "1", at: 1) > id)
    }

    @Test func theOldestOfTooManyEventsGo() async throws {
        try await store.insertJob(.made("a"))
        let kept = StateLimits.jobEventCountMax
        let first = try await store.appendEvent(jobID: "a", type: "x", data: "0", at: 0)
        // As appending does, but in one transaction.
        try await store.write { database in
            for number in 1...kept {
                try database.execute(
                    sql: "INSERT INTO job_events (job_id, type, data, at) VALUES ('a','x','1',?)",
                    arguments: [number])
            }
        }
        let last = try await store.appendEvent(jobID: "a", type: "x", data: "2", at: 0)
        let count = try await store.read { database in
            try Int.fetchOne(database, sql: "SELECT COUNT(*) FROM job_events")
        }
        #expect(count == kept)
        #expect(try await store.events(jobID: "a").first?.id == first + 2)
        #expect(try await store.events(jobID: "a", after: last - 1).map(\.id) == [last])
    }
}
