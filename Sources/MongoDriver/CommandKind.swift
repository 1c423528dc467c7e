/// Where a command goes and what libmongoc adds to it.
public enum CommandKind: Sendable {
    /// To a server that the connection string's read preference allows, with its read concern
    /// unless the command states one. Sent once more when the network fails (`retryReads`).
    case read
    /// To the primary, with the connection string's write concern unless the command states one.
    case write
    /// To the primary, exactly as it is.
    case primary
}

/// All that decides how one command travels.
struct Route {
    /// Where to and how often.
    var kind: CommandKind
    /// The server to talk to, whatever the kind says; nil lets libmongoc choose.
    var serverID: UInt32?
    /// The session that the command belongs to; nil makes libmongoc add one of its own.
    var session: Session?
}
