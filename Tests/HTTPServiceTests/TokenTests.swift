internal import AccessControl
internal import Crypto
internal import Foundation
internal import HTTPTypes
internal import Testing

@testable internal import HTTPService

/// Tokens that somebody has made up.
@Suite struct TokenTests {
    private static let hs256 = #"{"alg": "HS256", "typ": "JWT"}"#

    private static func expect(
        _ status: Int, _ token: String, _ client: ServiceClient,
        source: SourceLocation = #_sourceLocation
    ) async throws {
        let extras = ServiceClient.Extras(token: token)
        let answer = try await client.send(.get, "backup/list", extras, source)
        #expect(answer.status == status, "\(token)", sourceLocation: source)
    }

    @Test(arguments: Way.allCases)
    func aTokenThatIsSignedOtherwiseIsRefused(_ way: Way) async throws {
        try await ServiceFixture.withoutServer().serve(way) { client in
            let now = client.fixture.clock.date
            let claims = TokenForge.claims(now)
            let secret = Data(ServiceFixture.secretText.utf8)
            let good = TokenForge.token(Self.hs256, claims, TokenForge.hs256(secret))
            try await Self.expect(200, good, client)
            let nothing: (Data) -> Data = { _ in Data() }
            let bad = [
                TokenForge.token(#"{"alg": "none"}"#, claims, nothing),
                TokenForge.token(#"{"alg": "None"}"#, claims, TokenForge.hs256(secret)),
                TokenForge.token(#"{"alg": "HS512"}"#, claims, TokenForge.hs256(secret)),
                TokenForge.token(#"{"typ": "JWT"}"#, claims, TokenForge.hs256(secret)),
                TokenForge.token(Self.hs256, claims, nothing),
                TokenForge.token(Self.hs256, claims, TokenForge.hs256(Data("other".utf8))),
                TokenForge.token(Self.hs256, claims, TokenForge.hs256(Data())),
                String(good.dropLast(2)), good + "a", good + ".", "." + good,
            ]
            for token in bad { try await Self.expect(401, token, client) }
        }
    }

    @Test(arguments: Way.allCases)
    func aTokenThatSaysTooLittleOrTooMuchIsRefused(_ way: Way) async throws {
        try await ServiceFixture.withoutServer().serve(way) { client in
            let now = Int(client.fixture.clock.date.timeIntervalSince1970)
            let sign = TokenForge.hs256(Data(ServiceFixture.secretText.utf8))
            let cases = [
                #"{"sub": "a", "role": "super_admin"}"#,
                #"{"sub": "a", "role": "super_admin", "exp": \#(now - 3600)}"#,
                #"{"sub": "a", "role": "super_admin", "exp": "\#(now + 600)"}"#,
                #"{"sub": "a", "role": "super_admin", "exp": 1e300}"#,
                #"{"sub": "a", "role": "root", "exp": \#(now + 600)}"#,
                #"{"sub": "a", "role": ["viewer", "super_admin"], "exp": \#(now + 600)}"#,
                #"{"sub": "a", "role": "viewer", "role": "super_admin", "exp": \#(now + 600)}"#,
                #"{"role": "super_admin", "exp": \#(now + 600)}"#,
                #"{"sub": "a\u0000b", "role": "super_admin", "exp": \#(now + 600)}"#,
                #"{"sub": "a", "role": "super_admin", "exp": \#(now + 600), "nbf": \#(now + 300)}"#,
            ]
            for claims in cases {
                let token = TokenForge.token(Self.hs256, claims, sign)
                try await Self.expect(401, token, client)
            }
        }
    }

    @Test(arguments: Way.allCases)
    func aKeySetsPublicPartsAreNoSecrets(_ way: Way) async throws {
        var fixture = try await ServiceFixture.withoutServer()
        let key = P256.Signing.PrivateKey()
        let modulus = TokenForge.base64(Data([0xC1] + (0..<255).map { UInt8($0) | 1 }))
        let rsa = #"{"kty": "RSA", "kid": "rsa", "n": "\#(modulus)", "e": "AQAB"}"#
        let keys = #"{"keys": [\#(TokenForge.jwk(key, keyID: "one")), \#(rsa)]}"#
        let path = fixture.folder.path + "/keys.json"
        try Data(keys.utf8).write(to: URL(filePath: path))
        fixture.options.keys = .keySet(.file(path: path), algorithms: [.es256, .rs256])
        try await fixture.serve(way) { client in
            let claims = TokenForge.claims(client.fixture.clock.date)
            func header(_ algorithm: String, _ keyID: String) -> String {
                #"{"alg": "\#(algorithm)", "kid": "\#(keyID)"}"#
            }
            let good = try TokenForge.token(header("ES256", "one"), claims, TokenForge.es256(key))
            try await Self.expect(200, good, client)
            let other = P256.Signing.PrivateKey()
            let pem = Data(key.publicKey.pemRepresentation.utf8)
            let bad = [
                try TokenForge.token(header("ES256", "two"), claims, TokenForge.es256(key)),
                try TokenForge.token(header("ES256", "rsa"), claims, TokenForge.es256(key)),
                try TokenForge.token(header("ES256", "one"), claims, TokenForge.es256(other)),
                try TokenForge.token(header("RS256", "one"), claims, TokenForge.es256(key)),
                try TokenForge.token(header("ES256", "../one"), claims, TokenForge.es256(key)),
                TokenForge.token(header("HS256", "one"), claims, TokenForge.hs256(pem)),
                TokenForge.token(
                    header("HS256", "rsa"), claims, TokenForge.hs256(Data(modulus.utf8))),
                TokenForge.token(header("HS256", "one"), claims, TokenForge.hs256(Data(keys.utf8))),
                TokenForge.token(header("none", "one"), claims, { _ in Data() }),
            ]
            for token in bad { try await Self.expect(401, token, client) }
        }
    }

    @Test(arguments: Way.allCases)
    func aRoleComesFromTheTokenAlone(_ way: Way) async throws {
        try await ServiceFixture.withoutServer().serve(way, doesJobs: false) { client in
            let viewer = try await client.post(
                "backup/create", #"{"role": "super_admin"}"#, as: .viewer)
            #expect(viewer.status == 403)
            let query = try await client.post("backup/create?role=super_admin", as: .viewer)
            #expect(query.status == 403)
            let headers = try await client.post(
                "backup/create", as: .viewer,
                headers: ["X-Role": "super_admin", "X-Forwarded-User": "root", "Role": "admin"])
            #expect(headers.status == 403)
            let admin = try await client.post("backup/create", #"{"role": "admin"}"#, as: .admin)
            #expect(admin.status == 422)
        }
    }

    @Test(arguments: Way.allCases)
    func aMethodComesFromTheRequestLineAlone(_ way: Way) async throws {
        let fixture = try await ServiceFixture.withoutServer()
        try fixture.plantDamagedBackup()
        try await fixture.serve(way, doesJobs: false) { client in
            let path = "backup/\(ServiceFixture.damagedBackup)"
            let names = ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"]
            for name in names {
                let answer = try await client.get(path, as: .viewer, headers: [name: "DELETE"])
                #expect(answer.status == 409)
                let create = try await client.get(
                    "backup/list", as: .viewer, headers: [name: "POST"])
                #expect(create.status == 200)
            }
            #expect(try await client.get("\(path)?_method=DELETE").status == 422)
            #expect(try await client.get("backup/list").count("backups") == 1)
        }
    }

    @Test func moreThanOneTokenIsNone() async throws {
        try await ServiceFixture.withoutServer().serve(.socket) { client in
            let token = client.fixture.tokens[.superAdmin] ?? ""
            let reading = try await client.raw(
                client.rawRequest(
                    "GET", "backup/list", as: .viewer,
                    headers: ["Authorization: Bearer \(token)"]), answers: 1)
            #expect(reading.statuses == [401])
        }
    }

    @Test func aTokenInThePathIsNoToken() async throws {
        try await ServiceFixture.withoutServer().serve { client in
            let token = client.fixture.tokens[.superAdmin] ?? ""
            let answer = try await client.get("backup/list?access_token=\(token)", as: nil)
            #expect(answer.status == 401)
        }
    }
}
