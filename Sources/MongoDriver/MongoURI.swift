import CMongoC

/// A connection string, read by libmongoc: hosts, TLS, authentication, replica set, read
/// preference, compressors and all else that it knows.
public struct MongoURI: Sendable, CustomStringConvertible {
    /// `host:port` of each server named; empty for `mongodb+srv`, where DNS names them later.
    public let hosts: [String]
    /// The database named after the hosts, or nil.
    public let defaultDatabase: String?
    /// Whether reads go to the primary.
    public let readsPrimary: Bool
    /// The connection string as it may be shown: scheme, `***` for credentials, hosts, database.
    /// Options are left out, for some of them are secrets.
    public let description: String
    /// For the pool that copies it.
    let handle: URIHandle

    /// Reads a connection string. What it does not state is set: `serverSelectionTimeoutMS` and
    /// `connectTimeoutMS` to 5000, `appName` to `cairn`.
    ///
    /// - Parameters:
    ///   - socketTimeoutSeconds: how long a command may take before the connection counts as lost,
    ///     unless the string states `socketTimeoutMS`. Nil is libmongoc's five minutes: enough for
    ///     reads and writes, too little to build an index on a large collection.
    ///   - password: the user's, where the string has none; secret.
    /// - Throws: `MongoError` with `invalidURI`, also for an option that is not known, and for
    ///   `w=0`: an unanswered write is no backup.
    public init(
        _ string: String, socketTimeoutSeconds: Int32? = nil, password: String? = nil
    ) throws {
        handle = try URIHandle(
            string, socketTimeoutSeconds: socketTimeoutSeconds, password: password)
        let uri = handle.pointer
        let serviceHost = handle.serviceHost
        hosts = serviceHost == nil ? handle.hosts : []
        defaultDatabase = mongoc_uri_get_database(uri).map { String(cString: $0) }
        readsPrimary = handle.readsPrimary
        let scheme = serviceHost == nil ? "mongodb" : "mongodb+srv"
        let user = mongoc_uri_get_username(uri) == nil ? "" : "***@"
        let place = serviceHost ?? hosts.joined(separator: ",")
        let path = defaultDatabase.map { "/\($0)" } ?? ""
        description = "\(scheme)://\(user)\(place)\(path)"
    }
}

/// Owns a `mongoc_uri_t`.
///
/// Unchecked: the C value is written in `init` only and read after that.
final class URIHandle: @unchecked Sendable {
    /// Valid as long as this object; never says `retryWrites`.
    let pointer: OpaquePointer
    /// What the string says of `retryWrites`; true when it says nothing.
    let mayNumberWrites: Bool
    /// How long a suitable server is waited for, in milliseconds.
    let selectionMilliseconds: Int
    /// How long libmongoc waits for one at a time, in milliseconds.
    private static let selectionTurnMilliseconds: Int32 = 1000

    fileprivate init(_ string: String, socketTimeoutSeconds: Int32?, password: String?) throws {
        _ = library
        var failure = bson_error_t()
        let (parsed, complaints) = DriverLog.capture {
            mongoc_uri_new_with_error(string, &failure)
        }
        // First, for libmongoc may have failed because of one that is mistyped.
        try ConnectionStringOptions(string).check()
        guard let uri = parsed else {
            let reason = Self.withoutSecrets(failure.text, of: string)
            throw MongoError(
                .invalidURI,
                "the connection string cannot be read: \(reason); it should look like "
                    + "mongodb://user:password@host:port/database?option=value")
        }
        pointer = uri
        // What it drops it only warns of.
        if let complaint = complaints.first(where: { !$0.hasPrefix("Deprecated") }) {
            let reason = Self.withoutSecrets(complaint, of: string)
            throw MongoError(.invalidURI, "the connection string cannot be used: \(reason)")
        }
        selectionMilliseconds = Int(
            mongoc_uri_get_option_as_int32(uri, MONGOC_URI_SERVERSELECTIONTIMEOUTMS, 5000))
        mayNumberWrites = mongoc_uri_get_option_as_bool(uri, MONGOC_URI_RETRYWRITES, true)
        mongoc_uri_set_option_as_bool(uri, MONGOC_URI_RETRYWRITES, false)
        // libmongoc takes what follows the first "@" for a host, and would make it known as one.
        guard hosts.allSatisfy({ !$0.contains("@") }) else {
            throw MongoError(.invalidURI, "an \"@\" in user or password is to be written %40")
        }
        let defaults: [(String, Int32?)] = [
            (MONGOC_URI_SERVERSELECTIONTIMEOUTMS, 5000), (MONGOC_URI_CONNECTTIMEOUTMS, 5000),
            (MONGOC_URI_SOCKETTIMEOUTMS, socketTimeoutSeconds.map { $0 * 1000 }),
        ]
        for case let (option, milliseconds?) in defaults
        where !mongoc_uri_has_option(uri, option) {
            mongoc_uri_set_option_as_int32(uri, option, milliseconds)
        }
        mongoc_uri_set_option_as_int32(
            uri, MONGOC_URI_SERVERSELECTIONTIMEOUTMS,
            min(Self.selectionTurnMilliseconds, Int32(max(1, selectionMilliseconds))))
        try setPassword(password)
        if !mongoc_uri_has_option(uri, MONGOC_URI_APPNAME) { mongoc_uri_set_appname(uri, "cairn") }
        let writeConcern = mongoc_uri_get_write_concern(uri)
        guard mongoc_write_concern_is_acknowledged(writeConcern) else {
            throw MongoError(.invalidURI, "w=0 leaves it unknown whether anything was written")
        }
    }

    deinit {
        mongoc_uri_destroy(pointer)
    }

    /// - Throws: `MongoError` with `invalidURI` when it is one too many, and when there is none for
    ///   a user who must have one.
    private func setPassword(_ password: String?) throws {
        let user = mongoc_uri_get_username(pointer).map { String(cString: $0) } ?? ""
        let mechanism = mongoc_uri_get_auth_mechanism(pointer).map { String(cString: $0) } ?? ""
        let hasOne = mongoc_uri_get_password(pointer) != nil
        guard let password else {
            let needsOne = mechanism.isEmpty || mechanism.hasPrefix("SCRAM") || mechanism == "PLAIN"
            guard user.isEmpty || hasOne || !needsOne else {
                throw MongoError(
                    .invalidURI,
                    "the connection string names a user and no password, and none comes from a "
                        + "file or a prompt")
            }
            return
        }
        guard !hasOne else {
            throw MongoError(
                .invalidURI,
                "there are two passwords, one in the connection string and one from a file or a "
                    + "prompt; remove one")
        }
        guard !user.isEmpty, mechanism != "MONGODB-X509" else {
            throw MongoError(
                .invalidURI,
                "there is a password, but the connection string names no user who has one; write "
                    + "mongodb://USER@HOST/")
        }
        guard mongoc_uri_set_password(pointer, password) else {
            throw MongoError(.invalidURI, "the password is not UTF-8 text")
        }
    }

    /// The name that DNS has the servers of (`mongodb+srv`); nil where the string names them.
    var serviceHost: String? {
        mongoc_uri_get_srv_hostname(pointer).map { String(cString: $0) }
    }

    /// Whether all is read from the primary.
    var readsPrimary: Bool {
        let preferences = mongoc_uri_get_read_prefs_t(pointer)
        return mongoc_read_prefs_get_mode(preferences) == MONGOC_READ_PRIMARY
    }

    /// `host:port` of each server, in the order of the string.
    var hosts: [String] {
        var hosts: [String] = []
        var next = mongoc_uri_get_hosts(pointer)
        while let host = next {
            hosts.append(cString(in: host.pointee.host_and_port))
            next = UnsafePointer(host.pointee.next)
        }
        return hosts
    }

    /// libmongoc quotes the part it does not understand, which may be a password that was not
    /// percent-encoded. A quotation is shown when it stands behind the credentials.
    private static func withoutSecrets(_ reason: String, of string: String) -> String {
        let rest = string.split(separator: "@", omittingEmptySubsequences: false).last ?? ""
        let pieces = reason.split(omittingEmptySubsequences: false) { $0 == "\"" || $0 == "'" }
        let quotations = pieces.indices.filter { !$0.isMultiple(of: 2) }.map { pieces[$0] }
        let options = string.lowercased()
        let hasSecretOption = ["password", "properties"].contains { options.contains($0) }
        guard quotations.isEmpty || !hasSecretOption && quotations.allSatisfy(rest.contains) else {
            return "a part of it is malformed; is everything percent-encoded that must be?"
        }
        return reason
    }
}
