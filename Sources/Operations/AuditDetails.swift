internal import SnapshotJSON

/// What an entry of the audit log says beside who, when, from where and what it was about: what
/// exactly was asked for and what came of it.
public struct AuditDetails: Sendable {
    /// Why it was refused or has failed; nil when it was not.
    public var code: String?
    /// The job that it is about.
    public var job: String?
    /// Parameters of the request, by name; the body is not among them.
    public var parameters: [String: String] = [:]
    /// What was asked for, as JSON on one line.
    public var request: String?
    /// Snapshots that were removed.
    public var removed: [String] = []

    /// Bytes of a request beyond which only its size is told, and removed snapshots that are
    /// named: an entry's details have an end. No request that can be valid is longer.
    private static let requestByteCountMax = 900 * 1024
    private static let removedCountMax = 2000

    public init() {}

    /// As the log keeps it.
    public var text: String {
        var members = [JSONValue.Member("code", .string(code ?? ""))]
        if let job { members.append(JSONValue.Member("job", .string(job))) }
        if !parameters.isEmpty {
            let sorted = parameters.sorted { $0.key < $1.key }
            members.append(
                JSONValue.Member(
                    "parameters",
                    .object(sorted.map { JSONValue.Member($0.key, .string($0.value)) })))
        }
        if let request {
            let count = request.utf8.count
            members.append(
                JSONValue.Member(
                    "request",
                    count <= Self.requestByteCountMax
                        ? .verbatim(request) : .string("omitted: it has \(count) bytes")))
        }
        if !removed.isEmpty {
            let named = removed.prefix(Self.removedCountMax)
            members.append(JSONValue.Member("removed", .array(named.map { .string($0) })))
            members.append(JSONValue.Member("removed_count", .count(removed.count)))
        }
        return JSONValue.object(members).text
    }
}
