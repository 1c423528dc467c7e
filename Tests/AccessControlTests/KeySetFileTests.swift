import Foundation
import JWTKit
import Testing

@testable import AccessControl

@Suite struct KeySetFileTests {
    private func verifier(_ path: String) async throws -> TokenVerifier {
        try await TokenVerifier(
            keys: .keySet(.file(path: path), algorithms: [.es256]), rules: TokenRules())
    }

    private func token(_ key: ES256PrivateKey, kid: String) async throws -> String {
        try await TestSigner.ecdsa(key).token(header: #"{"alg":"ES256","kid":"\#(kid)"}"#)
    }

    private func jwks(_ key: ES256PrivateKey, kid: String) throws -> String {
        TestKeys.jwks(try TestKeys.jwk(key, ["kid": kid]))
    }

    @Test func aChangedFileIsReadAgain() async throws {
        let file = try TemporaryFile(jwks(TestKeys.ecdsa, kid: "a"))
        let verifier = try await verifier(file.path)
        let old = try await token(TestKeys.ecdsa, kid: "a")
        let new = try await token(TestKeys.otherECDSA, kid: "b")
        #expect(try await verifier.refusal(old) == nil)
        #expect(try await verifier.refusal(new) == .unknownKey)
        try file.write(jwks(TestKeys.otherECDSA, kid: "b"))
        #expect(try await verifier.refusal(new) == nil)
        #expect(try await verifier.refusal(old) == .unknownKey)
    }

    @Test func keysOfALostFileServeForAWhile() async throws {
        let file = try TemporaryFile(jwks(TestKeys.ecdsa, kid: "a"))
        let verifier = try await verifier(file.path)
        let token = try await TestSigner.ecdsa(TestKeys.ecdsa).token(
            #"{"alg":"ES256","kid":"a"}"#, TestClaims(["exp": "1767400000"]).text)
        #expect(try await verifier.refusal(token) == nil)
        for loss in ["garbage", nil] {
            if let loss { try file.write(loss) } else { try file.remove() }
            let later = TestClaims.now.addingTimeInterval(3600)
            #expect(try await verifier.refusal(token, now: later) == nil)
            #expect(verifier.keySetStatus?.failure != nil)
            let tooLate = later.addingTimeInterval(1)
            #expect(try await verifier.refusal(token, now: tooLate) == .keysUnavailable)
        }
        try file.write(jwks(TestKeys.ecdsa, kid: "a"))
        let nextDay = Date(timeIntervalSince1970: 1_767_300_000)
        #expect(try await verifier.refusal(token, now: nextDay) == nil)
        let status = KeySetStatus(keyCount: 1, checkedAtSeconds: 1_767_300_000, failure: nil)
        #expect(verifier.keySetStatus == status)
    }

    @Test func withoutAUsableFileNothingStarts() async throws {
        func failure(_ path: String) async throws -> String? {
            do {
                try await verifier(path).prepare(now: TestClaims.now)
                return nil
            } catch let error as AccessError {
                #expect(error.reason == .keysUnavailable)
                return error.detail
            }
        }
        #expect(try await failure("/nowhere") == "the JWKS file: No such file or directory")
        #expect(try await failure("/tmp") == "the JWKS file: not a file")
        #expect(try await failure("/dev/zero") == "the JWKS file: not a file")
        let large = try TemporaryFile(String(repeating: " ", count: 1 << 20 + 1))
        #expect(try await failure(large.path) == "the JWKS file: larger than 1 MiB")
        let empty = try TemporaryFile("")
        #expect(try await failure(empty.path) == "the JWKS is empty")
    }

    @Test func sourcesAreToldByTheirText() throws {
        #expect(try KeySetSource("/etc/jwks.json") == .file(path: "/etc/jwks.json"))
        #expect(try KeySetSource("https://id.example/jwks") == .url("https://id.example/jwks"))
        for text in ["", "ftp://id.example/", "https://", "https://a:b@id.example/", "http:///"] {
            #expect(throws: AccessError.self) { try KeySetSource(text) }
        }
        #expect(try KeySetSource("HTTPS://id.example/").isProtected)
        #expect(try KeySetSource("http://127.0.0.1:8080/").isProtected)
        #expect(try KeySetSource("http://[::1]:8080/").isProtected)
        #expect(try KeySetSource("jwks.json").isProtected)
        #expect(try !KeySetSource("http://id.example/").isProtected)
        #expect(try !KeySetSource("http://localhost.example/").isProtected)
    }
}
