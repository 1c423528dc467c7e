import CMongoC
import Glibc

/// What a connection string says of TLS, in the form that libmongoc's TLS streams take.
///
/// Unchecked: written in `init` only; the C strings are its own.
final class TLSSettings: @unchecked Sendable {
    /// The largest file with certificates that is read, in bytes.
    private static let fileByteCountMax = 4 << 20

    /// The file with the authorities that are trusted, or nil for the system's.
    let authorityFile: String?
    /// The file with the client's certificate and key, or nil.
    let certificateFile: String?
    private var options = mongoc_ssl_opt_t()
    /// libmongoc keeps what has no public field behind a pointer: whether revocation is looked
    /// into, and whether the address in a certificate is asked for it.
    private let flags = UnsafeMutablePointer<Bool>.allocate(capacity: 2)

    /// - Returns: nil where the connection string does not ask for TLS.
    /// - Throws: `MongoError` with `invalidURI` for a file that can't be used.
    convenience init?(_ uri: OpaquePointer) throws(MongoError) {
        let isX509 =
            mongoc_uri_get_auth_mechanism(uri).map { String(cString: $0) } == "MONGODB-X509"
        guard mongoc_uri_get_tls(uri) || isX509 else { return nil }
        func text(_ option: String) -> String? {
            mongoc_uri_get_option_as_utf8(uri, option, nil).map { String(cString: $0) }
        }
        func flag(_ option: String) -> Bool { mongoc_uri_get_option_as_bool(uri, option, false) }
        let isInsecure = flag(MONGOC_URI_TLSINSECURE)
        self.init(
            authorityFile: text(MONGOC_URI_TLSCAFILE),
            certificateFile: text(MONGOC_URI_TLSCERTIFICATEKEYFILE),
            password: text(MONGOC_URI_TLSCERTIFICATEKEYFILEPASSWORD),
            trustsAnyCertificate: isInsecure || flag(MONGOC_URI_TLSALLOWINVALIDCERTIFICATES),
            trustsAnyName: isInsecure || flag(MONGOC_URI_TLSALLOWINVALIDHOSTNAMES))
        flags[0] = isInsecure || flag(MONGOC_URI_TLSDISABLECERTIFICATEREVOCATIONCHECK)
        flags[1] = isInsecure || flag(MONGOC_URI_TLSDISABLEOCSPENDPOINTCHECK)
        if flags[0] || flags[1] { options.`internal` = UnsafeMutableRawPointer(flags) }
        try checkFiles()
    }

    private init(
        authorityFile: String?, certificateFile: String?, password: String?,
        trustsAnyCertificate: Bool, trustsAnyName: Bool
    ) {
        self.authorityFile = authorityFile
        self.certificateFile = certificateFile
        options.ca_file = authorityFile.flatMap { UnsafePointer(strdup($0)) }
        options.pem_file = certificateFile.flatMap { UnsafePointer(strdup($0)) }
        options.pem_pwd = password.flatMap { UnsafePointer(strdup($0)) }
        options.weak_cert_validation = trustsAnyCertificate
        options.allow_invalid_hostname = trustsAnyName
        flags.initialize(repeating: false, count: 2)
    }

    deinit {
        for text in [options.ca_file, options.pem_file, options.pem_pwd] {
            free(UnsafeMutableRawPointer(mutating: text))
        }
        flags.deallocate()
    }

    /// Who is believed to be the server: to find out what is wrong, never to send anything.
    enum Trust {
        /// Whoever has a certificate that is trusted, whatever name is in it.
        case anyName
        /// Whoever has any certificate.
        case anybody
    }

    /// The same, with less asked of the server.
    func trusting(_ trust: Trust) -> TLSSettings {
        TLSSettings(
            authorityFile: authorityFile, certificateFile: certificateFile,
            password: options.pem_pwd.map { String(cString: $0) },
            trustsAnyCertificate: trust == .anybody, trustsAnyName: true)
    }

    /// No files, and anybody is trusted.
    static func ofAnybody() -> TLSSettings {
        TLSSettings(
            authorityFile: nil, certificateFile: nil, password: nil, trustsAnyCertificate: true,
            trustsAnyName: true)
    }

    /// A TLS stream over another one, which it takes over; nil when the files can't be used, which
    /// libmongoc logs.
    func wrap(
        _ stream: UnsafeMutablePointer<mongoc_stream_t>, host: String
    ) -> UnsafeMutablePointer<mongoc_stream_t>? {
        var options = options
        return mongoc_stream_tls_new_with_hostname(stream, host, &options, 1)
    }

    // MARK: Files

    /// Says at once, and by name, what libmongoc would only log.
    private func checkFiles() throws(MongoError) {
        if let authorityFile {
            let text = try Self.read(authorityFile, "tlsCAFile")
            guard text.contains("-----BEGIN CERTIFICATE") || text.contains("TRUSTED CERTIFICATE")
            else { throw Self.unusable("tlsCAFile", authorityFile, "holds no certificate (PEM)") }
        }
        if let certificateFile {
            let option = "tlsCertificateKeyFile"
            let text = try Self.read(certificateFile, option)
            for part in ["CERTIFICATE-----", "PRIVATE KEY-----"] where !text.contains(part) {
                let name = part.hasPrefix("C") ? "certificate" : "private key"
                throw Self.unusable(option, certificateFile, "holds no \(name) (PEM)")
            }
            // OpenSSL would ask for it on the terminal.
            guard !text.contains("ENCRYPTED") || options.pem_pwd != nil else {
                throw Self.unusable(
                    option, certificateFile,
                    "is encrypted; give its password as tlsCertificateKeyFilePassword")
            }
        }
        try checkUse()
    }

    /// Has OpenSSL read the files, with no server behind.
    private func checkUse() throws(MongoError) {
        guard let file = mongoc_stream_file_new_for_path("/dev/null", O_RDWR, 0) else { return }
        let (stream, complaints) = DriverLog.capture { wrap(file, host: "localhost") }
        guard stream == nil else { return mongoc_stream_destroy(stream) }
        mongoc_stream_destroy(file)
        func isAbout(_ words: String) -> Bool { complaints.contains { $0.contains(words) } }
        guard let certificateFile, !isAbout("Certificate Authorities") else {
            throw Self.unusable("tlsCAFile", authorityFile ?? "", "holds no usable certificate")
        }
        if isAbout("private key"), options.pem_pwd != nil {
            throw Self.unusable(
                "tlsCertificateKeyFilePassword", certificateFile,
                "holds a private key that this password does not open, or that does not go with "
                    + "its certificate")
        }
        throw Self.unusable(
            "tlsCertificateKeyFile", certificateFile,
            isAbout("private key")
                ? "holds no private key that goes with its certificate"
                : "holds no usable certificate")
    }

    private static func unusable(_ option: String, _ path: String, _ why: String) -> MongoError {
        MongoError(.invalidURI, "\(option): the file \(path) \(why)")
    }

    private static func read(_ path: String, _ option: String) throws(MongoError) -> String {
        // Without waiting, should it be a pipe.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            throw unusable(option, path, "can't be read: \(String(cString: strerror(errno)))")
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw unusable(option, path, "must be a regular file: it is read more than once")
        }
        guard status.st_size <= fileByteCountMax else {
            throw unusable(option, path, "is larger than \(fileByteCountMax) bytes")
        }
        var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
        let count = Glibc.read(descriptor, &bytes, bytes.count)
        guard count >= 0 else {
            throw unusable(option, path, "can't be read: \(String(cString: strerror(errno)))")
        }
        return String(decoding: bytes[..<count], as: UTF8.self)
    }
}
