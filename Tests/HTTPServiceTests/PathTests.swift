internal import AccessControl
internal import Foundation
internal import Testing

@testable internal import HTTPService

/// A path names backups of the repository and nothing else.
@Suite struct PathTests {
    private static let hostile = [
        "..", "%2e%2e", "..%2f..%2fetc%2fpasswd", "%2e%2e%2f%2e%2e", "..%5c..", "....//",
        "%00", "20240101T000000Z-manual-0a1b2c%00", "20240101T000000Z-manual-0a1b2c%0a",
        "%c0%ae%c0%ae%c0%af", "%e0%80%ae%e0%80%ae", "%ff", "%", "%2", "%zz", "%252e%252e",
        "..;", "~root", "20240101T000000Z-..%2f-0a1b2c", "*", "latest", "%F0%9F%92%A5",
        "20240101t000000z-manual-0a1b2c", "20240101T000000Z-manual-0A1B2C",
        "20240101T000000Z-manual-0a1b2", "outside", "..%2foutside", ".%2foutside",
        "20240101T000000Z-manual-0a1b2c.archive.gz", String(repeating: "a", count: 5000),
    ]

    @Test(arguments: Way.allCases)
    func aBackupThatIsNoneIsNeverFound(_ way: Way) async throws {
        let fixture = try await ServiceFixture.withoutServer()
        try Data("outside".utf8).write(
            to: URL(filePath: fixture.folder.path + "/outside.archive.gz"))
        try await fixture.serve(way, doesJobs: false) { client in
            for name in Self.hostile {
                for path in ["backup/\(name)", "jobs/\(name)", "jobs/\(name)/events"] {
                    let answer = try await client.get(path)
                    #expect([404, 405, 422].contains(answer.status), "\(path): \(answer)")
                }
                for action in ["restore", "verify"] {
                    let answer = try await client.post("backup/\(name)/\(action)")
                    #expect([404, 405, 422].contains(answer.status), "\(name): \(answer)")
                }
                let good = "20240101T000000Z-manual-0a1b2c"
                let diff = try await client.get("backup/\(good)/diff/\(name)")
                #expect([404, 422].contains(diff.status), "\(name): \(diff)")
            }
            #expect(try await client.get("jobs").number("total") == 0)
        }
        let outside = fixture.folder.path + "/outside.archive.gz"
        #expect(FileManager.default.fileExists(atPath: outside))
    }

    @Test(arguments: Way.allCases)
    func anEncodedPathIsNoWayAroundPermissions(_ way: Way) async throws {
        try await ServiceFixture.withoutServer().serve(way, doesJobs: false) { client in
            let paths = [
                "/api/phase14/backup/create/", "//api//phase14//backup//create",
                "/api/phase14/backup/%63reate", "/API/phase14/backup/create",
                "/api/phase14/./backup/create", "/api/phase14/x/../backup/create",
                "/api/phase14/backup/create;x=1",
            ]
            for path in paths {
                let answer = try await client.post(path, as: .viewer)
                #expect([403, 404, 405].contains(answer.status), "\(path): \(answer)")
                #expect(try await client.post(path, as: nil).status != 202, "\(path)")
            }
        }
    }

    @Test(arguments: Way.allCases)
    func aHugeNumberOfParametersIsAnsweredBriefly(_ way: Way) async throws {
        try await ServiceFixture.withoutServer().serve(way) { client in
            let query = (0..<1500).map { "a\($0)=" }.joined(separator: "&")
            let answer = try await client.get("backup/list?\(query)")
            #expect(answer.status == 422)
            #expect(try answer.count("errors") == SchemaValidation.errorCountMax)
        }
    }

    @Test(arguments: Way.allCases)
    func aHugeNumberOfFieldsIsAnsweredBriefly(_ way: Way) async throws {
        try await ServiceFixture.withoutServer().serve(way) { client in
            let fields = (0..<20_000).map { "\"f\($0)\": 1" }.joined(separator: ",")
            let answer = try await client.post("backup/create", "{\(fields)}")
            #expect(answer.status == 422)
            #expect(try answer.count("errors") == SchemaValidation.errorCountMax)
        }
    }

    @Test(arguments: [90, 103, 104, 1000, 100_000])
    func deepNestingIsRefused(_ depth: Int) async throws {
        try await ServiceFixture.withoutServer().serve { client in
            let open = String(repeating: "{\"a\":", count: depth)
            let body = open + "1" + String(repeating: "}", count: depth)
            let answer = try await client.post("backup/create", body)
            #expect(answer.status == 400 || answer.status == 422)
        }
    }
}
