internal import AccessControl
internal import ArgumentParser
internal import Foundation
internal import Glibc

/// What tokens are verified with, and what they must say.
struct KeyOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "File with the HS256 secret, at least 32 bytes; else CAIRN_JWT_SECRET_FILE, or the "
                + "secret itself in CAIRN_JWT_SECRET. To make one: openssl rand -base64 32",
            valueName: "file"))
    var secretFile: String?

    @Option(
        help: ArgumentHelp(
            "Public keys of an issuer instead of a secret: a JWKS as a file or an http(s) URL; "
                + "else CAIRN_JWKS.", valueName: "place"))
    var jwks: String?

    @Option(
        help: ArgumentHelp(
            "The algorithm of tokens that are verified by a JWKS, RS256 or ES256; may be "
                + "repeated. (default: RS256)", valueName: "name"))
    var algorithm: [String] = []

    @Option(help: ArgumentHelp("What tokens must have as \"iss\".", valueName: "issuer"))
    var issuer: String?

    @Option(help: ArgumentHelp("What tokens must have as \"aud\".", valueName: "audience"))
    var audience: String?

    static let howToMakeOne = """
        no key for tokens is configured, and without one nobody could be told from anybody; make \
        a secret with "openssl rand -base64 32 > cairn.secret && chmod 600 cairn.secret" and give \
        --secret-file cairn.secret, or give an issuer's public keys with --jwks
        """

    /// What tokens must say.
    ///
    /// - Throws: `AccessError` for what no token can say.
    func rules() throws -> TokenRules { try TokenRules(issuer: issuer, audience: audience) }

    /// The keys.
    ///
    /// - Throws: `ServerFailure` with usage when there are none, or two kinds; `AccessError` for
    ///   one that can't be used.
    func keys() throws -> TokenKeys {
        let place = jwks ?? ServerEnvironment["CAIRN_JWKS"]
        let text = try secretText()
        switch (text, place) {
        case (nil, nil): throw ServerFailure.usage(Self.howToMakeOne)
        case (.some, .some):
            throw ServerFailure.usage("give a secret or a JWKS, not both: one kind of key")
        case (let text?, nil):
            guard algorithm.isEmpty else {
                throw ServerFailure.usage("--algorithm goes with --jwks; a secret is for HS256")
            }
            return .secret(try SharedSecret(text))
        case (nil, let place?):
            let algorithms = try algorithm.map { name in
                guard let algorithm = SigningAlgorithm(rawValue: name), algorithm != .hs256 else {
                    throw ServerFailure.usage("--algorithm is RS256 or ES256, not \(name)")
                }
                return algorithm
            }
            return .keySet(
                try KeySetSource(place), algorithms: algorithms.isEmpty ? [.rs256] : Set(algorithms)
            )
        }
    }

    private func warnIfOthersMayRead(_ path: String) {
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & 0o077 != 0 else { return }
        ServerProgram.say(
            "cairn: warning: others may read the secret's file \(path); chmod 600 keeps it a "
                + "secret")
    }

    /// The secret; nil when none is configured.
    func secretText() throws -> String? {
        if let path = secretFile ?? ServerEnvironment["CAIRN_JWT_SECRET_FILE"] {
            warnIfOthersMayRead(path)
            do {
                let text = try String(contentsOfFile: path, encoding: .utf8)
                return text.trimmingCharacters(in: .whitespacesAndNewlines)
            } catch {
                throw ServerFailure.usage("the secret's file \(path) can't be read")
            }
        }
        return ServerEnvironment["CAIRN_JWT_SECRET"]
    }
}

/// Variables that the program was started with.
enum ServerEnvironment {
    /// A variable's value; nil also when it is empty.
    static subscript(name: String) -> String? {
        guard let value = getenv(name), value.pointee != 0 else { return nil }
        return String(cString: value)
    }
}
