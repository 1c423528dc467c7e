import Foundation
import MongoDriver
import Testing

@Suite struct PasswordSourceTests {
    private func password(_ bytes: [UInt8], mode: Int = 0o600) throws -> (String?, [String]) {
        let path = NSTemporaryDirectory() + "cairn-password-\(UInt64.random(in: 0 ... .max))"
        #expect(
            FileManager.default.createFile(
                atPath: path, contents: Data(bytes), attributes: [.posixPermissions: mode]))
        defer { unlink(path) }
        var warnings: [String] = []
        let password = try PasswordSource.file(path).password(for: "mongodb://u@h/") {
            warnings.append($0)
        }
        return (password, warnings)
    }

    @Test(arguments: [
        ("secret", "secret"), ("secret\n", "secret"), ("secret\r\n", "secret"),
        (" se cret \n", " se cret "), ("gr\u{fc}n", "gr\u{fc}n"),
    ])
    func oneLineEndDoesNotCount(text: String, expected: String) throws {
        let (found, warnings) = try password(Array(text.utf8))
        #expect(found == expected)
        #expect(warnings.isEmpty)
    }

    @Test(arguments: [
        [], [10], Array("a\n\n".utf8), Array("a\nb".utf8), [0xFF, 0xFE], [65, 0, 66],
        [UInt8](repeating: 65, count: PasswordSource.byteCountMax + 1),
    ])
    func whatIsNoPasswordIsRefused(bytes: [UInt8]) throws {
        let error = try #require(throws: MongoError.self) { try password(bytes) }
        #expect(error.code == .password)
    }

    @Test func othersWhoMayReadItAreAWarning() throws {
        let (found, warnings) = try password([65], mode: 0o644)
        #expect(found == "A")
        #expect(warnings.count == 1)
        #expect(warnings.first?.contains("chmod 600") == true)
    }

    @Test func aFileThatIsNotThereIsNamed() throws {
        for path in ["/no/such/file", "/tmp"] {
            let error = try #require(throws: MongoError.self) {
                try PasswordSource.file(path).password(for: "mongodb://u@h/") { _ in }
            }
            #expect(error.code == .password)
            #expect(error.message.contains(path))
        }
    }

    @Test func itComesFromOnePlace() {
        #expect(PasswordSource(file: "x", asks: true) == nil)
        #expect(PasswordSource(file: nil, asks: false) != nil)
    }
}
