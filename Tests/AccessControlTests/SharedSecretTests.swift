import AccessControl
import Foundation
import JWTKit
import Testing

@Suite struct SharedSecretTests {
    private func failure(_ text: String) -> AccessError? {
        do {
            _ = try SharedSecret(text)
            return nil
        } catch {
            return error
        }
    }

    @Test func aShortSecretIsRefusedAndSaysHowToMakeOne() throws {
        let short = "0123456789abcdefghijklmnopqrstu"
        #expect(short.utf8.count == 31)
        let error = try #require(failure(short))
        #expect(error.code == .configuration)
        #expect("\(error)".contains("31 bytes"))
        #expect("\(error)".contains("openssl rand -base64 32"))
        #expect(!"\(error)".contains(short))
        #expect(failure("") != nil)
        #expect(failure(short + "\n") != nil, "a line end is not counted")
        #expect(failure(short + "v") == nil)
    }

    @Test func whatIsEasyToGuessIsRefused() {
        #expect(failure(String(repeating: "secret", count: 10)) != nil)
        #expect(failure(String(repeating: "x", count: 64)) != nil)
        #expect(failure(String(repeating: "0123456789abcdef", count: 300)) != nil)
    }

    @Test func aPublicKeyIsNoSecret() throws {
        #expect(failure(try TestKeys.rsa().publicKey.pemRepresentation) != nil)
    }

    @Test func itShowsNothingOfItself() throws {
        let secret = try SharedSecret(TestSigner.secretText)
        var dumped = ""
        dump(TokenKeys.secret(secret), to: &dumped)
        for text in ["\(secret)", String(reflecting: secret), dumped] {
            #expect(!text.contains("0123") && !text.contains("48"), "\(text)")
        }
    }

    @Test func lineEndsOfAFileAreNoPartOfIt() async throws {
        let rules = try TokenRules()
        let secret = try SharedSecret(TestSigner.secretText + "\r\n")
        let verifier = try await TokenVerifier(keys: .secret(secret), rules: rules)
        let token = try await TestSigner.secret().token(header: #"{"alg":"HS256"}"#)
        #expect(try await verifier.refusal(token) == nil)
    }
}

@Suite struct TokenIssuerTests {
    private func issuer(_ rules: TokenRules) async throws -> TokenIssuer {
        await TokenIssuer(secret: try SharedSecret(TestSigner.secretText), rules: rules)
    }

    @Test func aVerifierWithTheSameRulesTakesIt() async throws {
        let rules = try TokenRules(issuer: "cairn", audience: "cairn-api")
        let grant = TokenGrant(
            subject: "Zoë \"O'\\Hara\"", role: .superAdmin, lifetimeSeconds: 3600, tokenID: "t1")
        let now = TestClaims.now.addingTimeInterval(0.75)
        let token = try await issuer(rules).issue(grant, now: now)
        let caller = try await TokenVerifier.ofSecret(rules).verify(token, now: now)
        let expected = Caller(
            subject: grant.subject, role: .superAdmin,
            expiresAt: TestClaims.now.addingTimeInterval(3600), tokenID: "t1")
        #expect(caller == expected)
        let other = try await TokenVerifier.ofSecret(TokenRules(issuer: "other"))
        #expect(try await other.refusal(token) == .issuer)
    }

    @Test func whatNoVerifierWouldTakeIsNotIssued() async throws {
        let issuer = try await issuer(TokenRules())
        let grants = [
            TokenGrant(subject: "", role: .admin, lifetimeSeconds: 60),
            TokenGrant(subject: "a\n", role: .admin, lifetimeSeconds: 60),
            TokenGrant(subject: "a", role: .admin, lifetimeSeconds: 0),
            TokenGrant(subject: "a", role: .admin, lifetimeSeconds: -60),
            TokenGrant(subject: "a", role: .admin, lifetimeSeconds: 366 * 86_400 + 1),
            TokenGrant(subject: "a", role: .admin, lifetimeSeconds: 60, tokenID: ""),
        ]
        for grant in grants {
            await #expect(throws: AccessError.self) {
                try await issuer.issue(grant, now: TestClaims.now)
            }
        }
    }
}
