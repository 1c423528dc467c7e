internal import HummingbirdCore
internal import NIOCore

/// Takes the body of an answer piece by piece; returns when the connection has taken one.
///
/// Unchecked: one task at a time writes to it, the one that makes the body.
final class BodyWriter: @unchecked Sendable {
    private var writer: any ResponseBodyWriter

    init(_ writer: any ResponseBodyWriter) {
        self.writer = writer
    }

    /// Writes bytes.
    ///
    /// - Throws: when the client is gone.
    @concurrent func write(_ bytes: [UInt8]) async throws {
        try await writer.write(ByteBuffer(bytes: bytes))
    }

    /// Writes text.
    ///
    /// - Throws: when the client is gone.
    @concurrent func write(_ text: String) async throws {
        try await writer.write(ByteBuffer(string: text))
    }

    /// Ends the body: without it the client knows that something is missing.
    @concurrent func finish() async throws {
        try await writer.finish(nil)
    }
}
