/// A key by which a client makes a request safe to repeat; each subject has keys of its own.
public struct IdempotencyKey: Hashable, Sendable {
    /// What the client sent as `Idempotency-Key`.
    public var key: String
    /// Who sent it.
    public var subject: String

    /// A subject's key.
    public init(key: String, subject: String) {
        self.key = key
        self.subject = subject
    }
}

/// What a key stands for when a request comes with it.
public enum IdempotencyClaim: Hashable, Sendable {
    /// The key is this request's now, which must complete or release it.
    case new
    /// Another request with the key is being answered.
    case inProgress
    /// A job was made for the key, and no answer has been kept: the request is being answered, or
    /// the process was killed before it was. The job's record says how to answer.
    case job(String)
    /// The request was answered before, with this.
    case replay(StoredResponse)
    /// The key was used for another request.
    case mismatch
}

/// An answer, as it was given and will be given again.
public struct StoredResponse: Hashable, Sendable {
    /// A header of an answer.
    public struct Header: Hashable, Sendable {
        /// Its name.
        public var name: String
        /// Its value.
        public var value: String

        /// A header.
        public init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    /// The status code.
    public var status: Int
    /// The headers that are to be given again, in their order.
    public var headers: [Header]
    /// The body, up to `StateLimits.responseByteCountMax`.
    public var body: [UInt8]

    /// An answer.
    public init(status: Int, headers: [Header] = [], body: [UInt8] = []) {
        self.status = status
        self.headers = headers
        self.body = body
    }
}
