internal import ArgumentParser
internal import MongoDriver

/// Which server a command is about.
struct ConnectionOptions: ParsableArguments, Sendable {
    /// The connection string; secret.
    @Option(
        help: ArgumentHelp(
            "Connection string of the server; else MONGODB_URI, which other users of the machine "
                + "can't see, else mongodb://localhost:27017.",
            valueName: "uri"))
    var uri: String?

    @Option(
        help: ArgumentHelp(
            "File with the password of the connection string's user, who must be able to read it "
                + "alone; one line end at its end does not count.",
            valueName: "file"))
    var passwordFile: String?

    @Flag(help: "Ask for that password on the terminal.")
    var passwordPrompt = false

    private static let standardURI = "mongodb://localhost:27017"
    /// Building an index is one command that takes as long as it takes.
    private static let commandSecondsMax: Int32 = 24 * 60 * 60

    /// Connections to the server; none is made yet.
    ///
    /// - Parameters:
    ///   - connectionCountMax: how many there may be.
    ///   - isPatient: whether commands may take hours, as building indexes does.
    ///   - waitsForServer: whether a server that is not up yet is waited for.
    /// - Throws: `MongoError` with `invalidURI` or `password`; `Failure` with usage.
    func makePool(
        connectionCountMax: Int, isPatient: Bool, waitsForServer: Bool = false
    ) throws -> MongoPool {
        let text = uri ?? ProcessEnvironment["MONGODB_URI"] ?? Self.standardURI
        guard let source = PasswordSource(file: passwordFile, asks: passwordPrompt) else {
            throw Failure.usage("give --password-file or --password-prompt, not both")
        }
        let password = try source.password(for: text) { warning in
            Console.writeError("cairn: warning: \(warning)\n")
        }
        let uri = try MongoURI(
            text, socketTimeoutSeconds: isPatient ? Self.commandSecondsMax : nil,
            password: password)
        return try MongoPool(
            uri: uri, connectionCountMax: connectionCountMax, waitsForServer: waitsForServer)
    }
}
