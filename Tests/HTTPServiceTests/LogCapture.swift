internal import Foundation
internal import Logging
internal import Synchronization
internal import Testing

/// Keeps what is logged, at every level.
final class LogCapture: Sendable {
    private let lines = Mutex<[String]>([])

    var logger: Logger {
        var logger = Logger(label: "test") { _ in Handler(capture: self) }
        logger.logLevel = .trace
        return logger
    }

    var text: String { lines.withLock { $0.joined(separator: "\n") } }

    func contains(_ part: String) -> Bool { text.contains(part) }

    /// Tokens, the secret and documents' contents are nobody's to read.
    func expectNoSecrets(of fixture: ServiceFixture, _ source: SourceLocation) {
        let text = text
        for secret in fixture.secrets where text.contains(secret) {
            Issue.record("the log has \(secret)", sourceLocation: source)
        }
    }

    fileprivate func append(_ line: String) { lines.withLock { $0.append(line) } }
}

private struct Handler: LogHandler {
    let capture: LogCapture
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.trace

    init(capture: LogCapture) {
        self.capture = capture
    }

    func log(event: LogEvent) {
        let all = metadata.merging(event.metadata ?? [:]) { $1 }
        let fields = all.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        capture.append("\(event.level) \(event.message) \(fields.joined(separator: " "))")
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }
}

extension ServiceFixture {
    /// What may be in no log, and in no answer that shows no documents.
    var secrets: [String] {
        [Self.secretText, Self.documentContents, Self.password] + tokens.values
    }

    /// Of connection strings in tests.
    static let password = "hunter2-of-the-database"
}
