/// How the program ends; scripts rely on these numbers.
enum ProgramStatus: Int32, Sendable, CaseIterable {
    /// Done, and proven.
    case done = 0
    /// Not done, for a reason that has no number of its own.
    case failed = 1
    /// Done, but the server refused documents.
    case skipped = 3
    /// Done, and what was compared differs.
    case different = 4
    /// There is no repository.
    case noRepository = 10
    /// Another process holds what is needed.
    case locked = 11
    /// The archive is damaged, cut or no archive.
    case damaged = 12
    /// The command was not understood.
    case usage = 64
    /// Cancelled by the user.
    case cancelled = 130
}
