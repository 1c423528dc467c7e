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

    private static let standardURI = "mongodb://localhost:27017"
    /// Building an index is one command that takes as long as it takes.
    private static let commandSecondsMax: Int32 = 24 * 60 * 60

    /// Connections to the server; none is made yet.
    ///
    /// - Parameters:
    ///   - connectionCountMax: how many there may be.
    ///   - isPatient: whether commands may take hours, as building indexes does.
    /// - Throws: `MongoError` with `invalidURI`.
    func makePool(connectionCountMax: Int, isPatient: Bool) throws -> MongoPool {
        let uri = try MongoURI(
            uri ?? ProcessEnvironment["MONGODB_URI"] ?? Self.standardURI,
            socketTimeoutSeconds: isPatient ? Self.commandSecondsMax : nil)
        return try MongoPool(uri: uri, connectionCountMax: connectionCountMax)
    }
}
