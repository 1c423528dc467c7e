import BSONBytes
import CMongoC

extension MongoError {
    /// Reads an error that libmongoc reported (error API 2) together with the reply, which has the
    /// server's own words when a server answered.
    ///
    /// - Parameters:
    ///   - failure: filled in by the call that failed.
    ///   - reply: what the server answered; nil or empty when nothing came.
    ///   - context: what was being done, such as `find on "shop"`.
    ///   - server: `host:port` or the redacted connection string.
    init(_ failure: bson_error_t, reply: BSONDocument?, context: String, server: String) {
        let number = Int(failure.code)
        let detail = Self.reason(in: failure.text)
        let labels = Self.labels(in: reply)
        switch mongoc_error_domain_t(rawValue: failure.domain) {
        case MONGOC_ERROR_SERVER, MONGOC_ERROR_WRITE_CONCERN:
            let isServer = failure.domain == MONGOC_ERROR_SERVER.rawValue
            self.init(
                isServer ? Code(serverCode: number) : .writeConcern,
                "\(context) failed: \(detail)", serverCode: number,
                codeName: Self.value("codeName", in: reply, \.string), labels: labels,
                server: server)
        case MONGOC_ERROR_SERVER_SELECTION:
            self.init(
                .serverSelection, "no server answered \(context) in time: \(detail)",
                labels: labels, server: server)
        case MONGOC_ERROR_CLIENT where number == MONGOC_ERROR_CLIENT_AUTHENTICATE.rawValue:
            self.init(.authentication, "authentication failed: \(detail)", server: server)
        case MONGOC_ERROR_STREAM:
            self.init(
                .network, "\(context) lost its connection: \(detail)", labels: labels,
                server: server)
        case MONGOC_ERROR_COMMAND where detail.contains("invalidated server"):
            self.init(.network, "\(context) lost its server", labels: labels, server: server)
        case MONGOC_ERROR_PROTOCOL, MONGOC_ERROR_BSON:
            self.init(.protocolViolation, "\(context) failed: \(detail)", server: server)
        default:
            self.init(.command, "\(context) failed: \(detail)", labels: labels, server: server)
        }
    }

    /// A reply's `writeConcernError`: the write was done, but not as safely as asked.
    init(writeConcernError error: BSONDocument, context: String, server: String) {
        let text = Self.value("errmsg", in: error, \.string) ?? "the server does not say why"
        self.init(
            .writeConcern, "\(context) was not acknowledged as asked: \(text)",
            serverCode: Self.value("code", in: error, \.wholeNumber),
            codeName: Self.value("codeName", in: error, \.string), server: server)
    }

    /// What is new in libmongoc's message: it repeats what was being done, and so do we.
    private static func reason(in message: String) -> String {
        var reason = withoutDocuments(message)[...]
        for lead in ["with database \"", "`serverSelectionTimeoutMS` expired: "] {
            guard let range = reason.firstRange(of: lead) else { continue }
            reason = reason[range.upperBound...]
            if lead.hasSuffix("\""), let end = reason.firstRange(of: "\": ") {
                reason = reason[end.upperBound...]
            }
        }
        return String(reason.hasSuffix(".") ? reason.dropLast() : reason)
    }

    /// A server's message without what is part of a document: the key of a duplicate, and the
    /// command that a user may not execute.
    static func withoutDocuments(_ message: String) -> String {
        let leads = [" dup key:", " to execute command {"]
        let ends = leads.compactMap { message.firstRange(of: $0)?.lowerBound }
        return ends.min().map { String(message[..<$0]) } ?? message
    }

    // An error reply that is damaged itself has no labels and no name; its message still counts.

    private static func labels(in reply: BSONDocument?) -> [String] {
        do { return try reply?.strings(in: "errorLabels") ?? [] } catch { return [] }
    }

    private static func value<Value>(
        _ name: String, in reply: BSONDocument?, _ convert: (BSONValue) -> Value?
    ) -> Value? {
        do { return try reply?.field(name, convert) } catch { return nil }
    }
}

extension bson_error_t {
    /// The message up to its zero byte.
    var text: String { cString(in: message) }
}

/// The text in a C character array, which Swift sees as a tuple, up to its zero byte.
func cString<Characters>(in characters: Characters) -> String {
    withUnsafeBytes(of: characters) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
}
