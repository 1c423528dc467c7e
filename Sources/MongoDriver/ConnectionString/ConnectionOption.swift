import CMongoC

/// An option that libmongoc knows in a connection string, and what it may be set to.
struct ConnectionOption: Sendable {
    /// What a value must be.
    enum Kind: Sendable {
        /// `true` or `false`, and older words for them.
        case flag
        /// A whole number within bounds.
        case number(ClosedRange<Int>)
        /// One of some words, in any case.
        case word([String])
        /// Some of some words, with commas between.
        case words([String])
        /// A number of members, `majority`, or the name of a write concern of the set's own.
        case writeConcern
        /// Any text but none.
        case text
        /// Any text, which may be given several times.
        case repeatable
    }

    /// As the documentation writes it.
    let name: String
    let kind: Kind
    /// The current name of what this is an older name for, else its own.
    let currentName: String

    init(_ name: String, _ kind: Kind, now currentName: String? = nil) {
        self.name = name
        self.kind = kind
        self.currentName = currentName ?? name
    }

    private static let milliseconds = Kind.number(0...Int(Int32.max))
    private static let count = Kind.number(0...Int(Int32.max))

    /// All of them: `MONGOC_URI_…` of libmongoc's headers.
    static let all: [ConnectionOption] = [
        ConnectionOption("appName", .text),
        ConnectionOption(
            "authMechanism",
            .word([
                "SCRAM-SHA-256", "SCRAM-SHA-1", "MONGODB-X509", "PLAIN", "GSSAPI", "MONGODB-AWS",
            ])),
        ConnectionOption("authMechanismProperties", .text),
        ConnectionOption("authSource", .text),
        ConnectionOption("canonicalizeHostname", .flag),
        ConnectionOption("connectTimeoutMS", milliseconds),
        ConnectionOption("compressors", .words(["snappy", "zlib", "zstd", "noop"])),
        ConnectionOption("directConnection", .flag),
        ConnectionOption("gssapiServiceName", .text),
        ConnectionOption("heartbeatFrequencyMS", .number(500...Int(Int32.max))),
        ConnectionOption("journal", .flag),
        ConnectionOption("loadBalanced", .flag),
        ConnectionOption("localThresholdMS", milliseconds),
        ConnectionOption("maxIdleTimeMS", milliseconds),
        ConnectionOption("maxPoolSize", count),
        ConnectionOption("maxStalenessSeconds", .number(-1...Int(Int32.max))),
        ConnectionOption("minPoolSize", count),
        ConnectionOption(
            "readConcernLevel",
            .word(["local", "majority", "linearizable", "available", "snapshot"])),
        ConnectionOption(
            "readPreference",
            .word(["primary", "primaryPreferred", "secondary", "secondaryPreferred", "nearest"])),
        ConnectionOption("readPreferenceTags", .repeatable),
        ConnectionOption("replicaSet", .text),
        ConnectionOption("retryReads", .flag),
        ConnectionOption("retryWrites", .flag),
        ConnectionOption("safe", .flag),
        ConnectionOption("serverSelectionTimeoutMS", milliseconds),
        ConnectionOption("serverSelectionTryOnce", .flag),
        ConnectionOption("socketCheckIntervalMS", milliseconds),
        ConnectionOption("socketTimeoutMS", milliseconds),
        ConnectionOption("srvServiceName", .text),
        ConnectionOption("srvMaxHosts", count),
        ConnectionOption("tls", .flag),
        ConnectionOption("tlsCertificateKeyFile", .text),
        ConnectionOption("tlsCertificateKeyFilePassword", .text),
        ConnectionOption("tlsCAFile", .text),
        ConnectionOption("tlsAllowInvalidCertificates", .flag),
        ConnectionOption("tlsAllowInvalidHostnames", .flag),
        ConnectionOption("tlsInsecure", .flag),
        ConnectionOption("tlsDisableCertificateRevocationCheck", .flag),
        ConnectionOption("tlsDisableOCSPEndpointCheck", .flag),
        ConnectionOption("w", .writeConcern),
        ConnectionOption("waitQueueMultiple", count),
        ConnectionOption("waitQueueTimeoutMS", milliseconds),
        ConnectionOption("wTimeoutMS", .number(0...Int(Int32.max))),
        ConnectionOption("zlibCompressionLevel", .number(-1...9)),
        // Older names.
        ConnectionOption("ssl", .flag, now: "tls"),
        ConnectionOption("sslClientCertificateKeyFile", .text, now: "tlsCertificateKeyFile"),
        ConnectionOption(
            "sslClientCertificateKeyPassword", .text, now: "tlsCertificateKeyFilePassword"),
        ConnectionOption("sslCertificateAuthorityFile", .text, now: "tlsCAFile"),
        ConnectionOption("sslAllowInvalidCertificates", .flag, now: "tlsAllowInvalidCertificates"),
        ConnectionOption("sslAllowInvalidHostnames", .flag, now: "tlsAllowInvalidHostnames"),
    ]

    /// By the name in lower case, as it counts.
    static let byName = Dictionary(
        uniqueKeysWithValues: all.map { ($0.name.lowercased(), $0) })

    /// Names by which other tools and drivers know some of them, in lower case and without `_`
    /// and `-`.
    private static let foreignNames = [
        "cafile": "tlsCAFile", "sslca": "tlsCAFile", "sslcacerts": "tlsCAFile",
        "sslcafile": "tlsCAFile", "tlsca": "tlsCAFile", "certfile": "tlsCertificateKeyFile",
        "sslcert": "tlsCertificateKeyFile", "sslcertfile": "tlsCertificateKeyFile",
        "sslkey": "tlsCertificateKeyFile", "sslkeyfile": "tlsCertificateKeyFile",
        "sslpemkeyfile": "tlsCertificateKeyFile", "tlscert": "tlsCertificateKeyFile",
        "tlscertfile": "tlsCertificateKeyFile", "tlscertificatefile": "tlsCertificateKeyFile",
        "sslpemkeypassword": "tlsCertificateKeyFilePassword",
        "sslpempassphrase": "tlsCertificateKeyFilePassword",
        "sslcertreqs": "tlsAllowInvalidCertificates", "sslvalidate": "tlsAllowInvalidCertificates",
        "sslmatchhostname": "tlsAllowInvalidHostnames", "sslmode": "tls", "usessl": "tls",
        "usetls": "tls", "secure": "tls", "rs": "replicaSet", "replset": "replicaSet",
        "replicasetname": "replicaSet", "slaveok": "readPreference", "auth": "authMechanism",
        "authdb": "authSource", "authenticationdatabase": "authSource",
        "timeoutms": "serverSelectionTimeoutMS", "timeout": "serverSelectionTimeoutMS",
        "compression": "compressors", "compressor": "compressors", "writeconcern": "w",
        "readconcern": "readConcernLevel", "wtimeout": "wTimeoutMS", "direct": "directConnection",
        "connect": "directConnection", "j": "journal",
    ]

    /// The name of the known option that is most like one that is not known.
    static func nearestName(to name: String) -> String {
        let plain = name.lowercased().filter { $0 != "_" && $0 != "-" }
        if let current = foreignNames[plain] { return current }
        return nearest(of: all.map(\.name), to: plain)
    }

    /// The word that takes the fewest changes to be made of another, whatever their case.
    static func nearest(of words: [String], to word: String) -> String {
        let word = word.lowercased()
        return words.min {
            EditDistance.between(word, $0.lowercased())
                < EditDistance.between(word, $1.lowercased())
        } ?? ""
    }
}

/// How many letters have to be put in, left out, replaced or exchanged with the next.
enum EditDistance {
    /// Letters that are compared of each word: the bound of the work.
    private static let letterCountMax = 64

    /// The distance of two words.
    static func between(_ first: String, _ second: String) -> Int {
        let first = Array(first.prefix(letterCountMax))
        let second = Array(second.prefix(letterCountMax))
        var before: [Int] = []
        var last = Array(0...second.count)
        for (row, letter) in first.enumerated() {
            var current = [row + 1]
            for (column, other) in second.enumerated() {
                let replaced = last[column] + (letter == other ? 0 : 1)
                var best = min(replaced, last[column + 1] + 1, current[column] + 1)
                if row > 0, column > 0, letter == second[column - 1], first[row - 1] == other {
                    best = min(best, before[column - 1] + 1)
                }
                current.append(best)
            }
            (before, last) = (last, current)
        }
        return last[second.count]
    }
}
