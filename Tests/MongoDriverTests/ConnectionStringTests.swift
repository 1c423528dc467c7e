import MongoDriver
import Testing

/// What a connection string may say, without any server.
@Suite struct ConnectionStringTests {
    private func error(_ query: String) throws -> MongoError {
        try #require(throws: MongoError.self, "\(query)") {
            try MongoURI("mongodb://h.example/?\(query)")
        }
    }

    @Test(arguments: [
        ("tsl=true", "tls"), ("TSL=true", "tls"), ("ssl_ca=x", "tlsCAFile"), ("tlss=1", "tls"),
        ("ssl_ca_certs=x", "tlsCAFile"), ("tlsCaFIle2=x", "tlsCAFile"),
        ("replicSet=rs0", "replicaSet"),
        ("replicaset_=rs0", "replicaSet"), ("readPrefrence=primary", "readPreference"),
        ("retryWrite=true", "retryWrites"), ("authsorce=admin", "authSource"),
        ("wtimeout=5", "wTimeoutMS"), ("compressor=zstd", "compressors"),
        ("connectTimeout=5", "connectTimeoutMS"),
        (
            "tls_allow_invalid_hostnames=true",
            "tlsAllowInvalidHostnames"
        ), ("directConection=true", "directConnection"),
        ("tlsCertificateFile=x", "tlsCertificateKeyFile"),
    ])
    func anUnknownOptionIsRefusedWithTheNearestOne(query: String, nearest: String) throws {
        let error = try error(query)
        #expect(error.code == .invalidURI)
        #expect(error.message.contains("\"\(query.split(separator: "=")[0])\" is not known"))
        #expect(error.message.contains("is \"\(nearest)\" meant?"), "\(error)")
    }

    @Test(arguments: [
        ("compressors=snappyx", "snappy"), ("compressors=zstd,zlb", "zlib"),
        ("readPreference=primry", "primary"),
        (
            "readPreference=secondaryprefered",
            "secondaryPreferred"
        ), ("w=majorty", "majority"),
        (
            "readConcernLevel=majorit",
            "majority"
        ), ("authMechanism=SCRAM-SHA256", "SCRAM-SHA-256"),
    ])
    func aMisspeltWordIsRefusedWithTheNearestOne(query: String, nearest: String) throws {
        #expect(try error(query).message.contains("is \"\(nearest)\" meant?"))
    }

    @Test(arguments: [
        "tls=ture", "tls=", "tls", "ssl=on", "connectTimeoutMS=5s", "connectTimeoutMS=-1",
        "socketTimeoutMS=99999999999", "zlibCompressionLevel=10", "heartbeatFrequencyMS=1",
        "replicaSet=", "w=2x", "w=-3", "w=", "maxPoolSize=many", "serverSelectionTimeoutMS=1e3",
        "tls=true&tls=true", "tls=true&ssl=true", "tls=true&TLS=false", "replicaSet=a&replicaSet=a",
        "tls=false&tlsCAFile=/etc/hosts", "ssl=false&tlsInsecure=true", "compressors=zstd,",
        "tls=true;replicaSet=rs0", "readPreference=primary&readPreference=nearest",
        "tls%3Dtrue=1", "=true",
    ])
    func whatCannotBeMeantIsRefused(query: String) throws {
        #expect(try error(query).code == .invalidURI)
    }

    @Test(arguments: [
        "appName=x&authSource=admin&connectTimeoutMS=1000&compressors=zlib",
        "canonicalizeHostname=false&directConnection=true&heartbeatFrequencyMS=500&journal=true",
        "localThresholdMS=0&maxIdleTimeMS=1&maxPoolSize=5&minPoolSize=0&waitQueueTimeoutMS=1",
        "readConcernLevel=majority&READPREFERENCE=secondary&maxStalenessSeconds=120",
        "readPreference=nearest&readPreferenceTags=dc:a&readPreferenceTags=dc:b",
        "readPreference=secondary&readPreferenceTags=dc:a&readPreferenceTags=",
        "retryReads=false&retryWrites=true&safe=true&serverSelectionTimeoutMS=0",
        "serverSelectionTryOnce=false&socketCheckIntervalMS=5&socketTimeoutMS=0",
        "w=2&wTimeoutMS=5", "w=majority", "w=MyOwnDataCenters", "zlibCompressionLevel=-1",
        "tls=true&tlsAllowInvalidCertificates=true", "ssl=true&sslAllowInvalidHostnames=true",
        "tlsInsecure=true", "tls=false&tlsInsecure=false", "tls=1", "",
        "tls=true&tlsDisableOCSPEndpointCheck=true", "tlsDisableCertificateRevocationCheck=true",
    ])
    func whatIsKnownIsTaken(query: String) throws {
        _ = try MongoURI("mongodb://h.example/?\(query)")
        _ = try MongoURI("mongodb://u:p@h.example/d?\(query)")
    }

    /// A part of a password must not be shown as if it were an option's name.
    @Test(arguments: [
        "mongodb://anna:ge/heim?x@h.example/?tls=true", "mongodb://h.example/?anna:geheim@h=true",
        "mongodb://h.example/?tlsCertificateKeyFilePassword=geheim&tls=geheim",
        "mongodb://h.example/?authMechanismProperties=geheim&w=geheim1&tsl=1",
    ])
    func errorsNeverShowSecrets(string: String) throws {
        let error = try #require(throws: MongoError.self) { try MongoURI(string) }
        #expect(!error.description.contains("geheim"))
        #expect(!error.description.contains("anna"))
    }

    /// Whatever an option is called and set to, it is taken or refused, and quickly.
    @Test func anyOptionIsTakenOrRefused() throws {
        var generator = SystemRandomNumberGenerator()
        let seed = generator.next()
        print("anyOptionIsTakenOrRefused: seed \(seed)")
        var random = SplitMix(state: seed)
        let letters = Array("tlscafile=&%;,/?@:_-0129 \u{e9}{}[]\"'TLSW")
        for _ in 0..<2000 {
            let count = Int.random(in: 0...40, using: &random)
            let query = String((0..<count).map { _ in letters.randomElement(using: &random)! })
            do { _ = try MongoURI("mongodb://h.example/?\(query)") } catch {
                #expect((error as? MongoError)?.code == .invalidURI, "\(query)")
            }
        }
        #expect(throws: MongoError.self) {
            try MongoURI("mongodb://h/?" + String(repeating: "a=b&", count: 100_000))
        }
        #expect(throws: MongoError.self) {
            try MongoURI("mongodb://h/?" + String(repeating: "a", count: 1_000_000) + "=1")
        }
    }

    // MARK: TLS files

    @Test func filesThatCannotBeUsedAreNamed() throws {
        func failure(_ query: String) throws -> String {
            let error = try #require(throws: MongoError.self) {
                try MongoPool(uri: MongoURI("mongodb://h.example/?\(query)"), connectionCountMax: 1)
            }
            #expect(error.code == .invalidURI)
            return error.message
        }
        #expect(
            try failure("tls=true&tlsCAFile=/no/such.pem")
                == "tlsCAFile: the file /no/such.pem can't be read: No such file or directory")
        #expect(try failure("tlsCAFile=/tmp").contains("must be a regular file"))
        #expect(try failure("tlsCAFile=/etc/hostname").contains("holds no certificate"))
        #expect(
            try failure("tlsCertificateKeyFile=/no/such.pem").hasPrefix("tlsCertificateKeyFile: "))
    }

    // MARK: Passwords

    @Test func aPasswordFromElsewhereGoesWithAUserWhoHasNone() throws {
        let uri = try MongoURI("mongodb://anna@h.example/", password: "geheim@/:")
        #expect(uri.description == "mongodb://***@h.example:27017")
        _ = try MongoURI("mongodb://anna:@h.example/")
        for string in [
            "mongodb://anna:x@h.example/", "mongodb://h.example/",
            "mongodb://anna@h.example/?authMechanism=MONGODB-X509",
        ] {
            let error = try #require(throws: MongoError.self) {
                try MongoURI(string, password: "geheim")
            }
            #expect(error.code == .invalidURI)
            #expect(!error.description.contains("geheim"))
        }
        #expect(throws: MongoError.self) { try MongoURI("mongodb://anna@h.example/") }
    }
}

/// A small generator that can be seeded.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
