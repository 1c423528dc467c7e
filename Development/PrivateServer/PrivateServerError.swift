/// Why a private server could not be had.
public struct PrivateServerError: Error, Hashable, Sendable, CustomStringConvertible {
    /// A stable name for one kind of failure; new ones may be added.
    public struct Code: RawRepresentable, Hashable, Sendable {
        /// The name.
        public let rawValue: String

        /// A code that this module does not define.
        public init(rawValue: String) {
            self.rawValue = rawValue
        }

        /// No `mongod` binary was found.
        public static let noBinary = Code(rawValue: "no_binary")
        /// The system refused a process, a pipe, a folder or a port.
        public static let system = Code(rawValue: "system")
        /// `mongod` ended or did not become ready.
        public static let notReady = Code(rawValue: "not_ready")
    }

    /// What kind of failure it is.
    public let code: Code
    /// What failed and why, in lowercase.
    public let message: String

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// The message.
    public var description: String { message }
}
