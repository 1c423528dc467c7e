internal import AccessControl
internal import Dispatch
internal import Foundation
internal import Glibc
internal import Testing

@testable internal import HTTPService

/// A TCP connection that sends whatever bytes a test likes. Calls block a thread of its own.
final class RawConnection: Sendable {
    /// The longest that a test waits for what should come at once.
    static let patienceSeconds = 20

    private let descriptor: CInt
    private let queue = DispatchQueue(label: "raw-connection")

    /// What was read.
    struct Reading: Sendable {
        var text: String
        /// Whether the service has closed the connection.
        var isClosed: Bool

        /// The statuses of the answers in it.
        var statuses: [Int] {
            text.matches(of: #/HTTP/1\.1 (\d{3}) /#).compactMap { Int($0.output.1) }
        }
    }

    init(port: Int) async throws {
        descriptor = try await withCheckedThrowingContinuation { continuation in
            DispatchQueue(label: "raw-connection-open").async {
                continuation.resume(with: Result { try Self.connected(port) })
            }
        }
    }

    deinit { Glibc.close(descriptor) }

    func close() { shutdown(descriptor, CInt(SHUT_RDWR)) }

    func send(_ text: String) async throws { try await send(Array(text.utf8)) }

    /// What the service does not take any more, because it has closed, is dropped.
    func send(_ bytes: [UInt8]) async throws {
        await onThread { [descriptor] in
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = rest.withUnsafeBytes {
                    Glibc.send(descriptor, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL))
                }
                guard count > 0 else { return }
                rest = rest.dropFirst(count)
            }
        }
    }

    /// Reads until the text is as wanted, or the service closes, or patience is over.
    func read(
        seconds: Int = RawConnection.patienceSeconds,
        until isEnough: @escaping @Sendable (String) -> Bool
    ) async -> Reading {
        await onThread { [descriptor] in
            var bytes: [UInt8] = []
            let end = DispatchTime.now() + .seconds(seconds)
            while true {
                let text = String(decoding: bytes, as: UTF8.self)
                if isEnough(text) { return Reading(text: text, isClosed: false) }
                let left =
                    Int64(end.uptimeNanoseconds)
                    - Int64(DispatchTime.now().uptimeNanoseconds)
                var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
                guard left > 0, poll(&request, 1, CInt(left / 1_000_000 + 1)) > 0 else {
                    return Reading(text: text, isClosed: false)
                }
                var buffer = [UInt8](repeating: 0, count: 65536)
                let count = recv(descriptor, &buffer, buffer.count, 0)
                guard count > 0 else { return Reading(text: text, isClosed: true) }
                bytes += buffer[..<count]
            }
        }
    }

    /// Reads until the service closes.
    func readToEnd() async -> Reading { await read { _ in false } }

    private func onThread<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async -> Value {
        await withCheckedContinuation { continuation in
            queue.async { continuation.resume(returning: body()) }
        }
    }

    private static func connected(_ port: Int) throws -> CInt {
        var hints = addrinfo()
        hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo("localhost", "\(port)", &hints, &found) == 0 else {
            throw POSIXError(.ENOENT)
        }
        defer { freeaddrinfo(found) }
        var next = found
        while let info = next?.pointee {
            let descriptor = socket(info.ai_family, info.ai_socktype, 0)
            if connect(descriptor, info.ai_addr, info.ai_addrlen) == 0 { return descriptor }
            Glibc.close(descriptor)
            next = info.ai_next
        }
        throw POSIXError(.ECONNREFUSED)
    }
}

extension ServiceClient {
    /// A request as it stands on the wire, with the token of a role.
    func rawRequest(
        _ method: String, _ path: String, as role: Role? = .superAdmin,
        headers: [String] = [], body: String = ""
    ) -> String {
        let uri = path.hasPrefix("/") ? path : "\(BasePath.text)/\(path)"
        let token = role.flatMap { fixture.tokens[$0] }
        let lines =
            ["\(method) \(uri) HTTP/1.1", "Host: localhost"]
            + (token.map { ["Authorization: Bearer \($0)"] } ?? []) + headers
        return lines.joined(separator: "\r\n") + "\r\n\r\n" + body
    }

    /// What the service makes of those bytes, read until it closes or has answered `until` times.
    func raw(_ text: String, answers: Int = .max) async throws -> RawConnection.Reading {
        let connection = try await RawConnection(port: port)
        try await connection.send(text)
        let reading = await connection.read(seconds: 5) { text in
            RawConnection.Reading(text: text, isClosed: false).statuses.count >= answers
        }
        connection.close()
        return reading
    }
}
