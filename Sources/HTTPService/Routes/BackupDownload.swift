internal import AccessControl
internal import ArchiveFormat
internal import Foundation
internal import HTTPTypes
internal import Operations
internal import SnapshotJSON
internal import Snapshots

extension BackupEndpoints {
    /// Whoever may download may read all there is, so it takes what restoring takes.
    var download: Endpoint {
        Endpoint(
            method: .get, path: "\(Self.path)/{backup_id}/download", id: "downloadBackup",
            group: Self.group, summary: "Download a backup's archive.",
            details: "As it is stored, by ranges if wanted: `mongorestore --gzip --archive=FILE` "
                + "restores one with the codec gzip. With `format=mongodump` it is decoded to what "
                + "`mongodump --archive` writes, and has no ranges.",
            access: .permitted(.backupsRestore),
            parameters: [
                CommonParameters.backupParameter,
                .query("format", .word("archive", "mongodump"), "archive when not given."),
                .header(
                    "Range", .string(Schema.TextRule(lengths: 0...256)),
                    "One range of bytes; more than one at a time are not given."),
                .header(
                    "If-Range", .string(Schema.TextRule(lengths: 0...256)),
                    "The ETag that the range is of."),
                .header(
                    "If-None-Match", .string(Schema.TextRule(lengths: 0...1024)),
                    "The ETag of what the client has."),
            ],
            replies: [
                .other(
                    .ok, "application/octet-stream", "The archive.",
                    headers: ["ETag": "Names these bytes.", "Accept-Ranges": "bytes or none."]),
                .other(
                    .partialContent, "application/octet-stream", "The range.",
                    headers: ["Content-Range": "Which bytes, and of how many."]),
                .other(.notModified, nil, "The client has it."),
                .problem(.notFound, "There is no such backup."),
                .problem(.conflict, "It is damaged."),
                .problem(.rangeNotSatisfiable, "There are no such bytes."),
                .problem(
                    .serviceUnavailable, "There are too many downloads.",
                    headers: ["Retry-After": "How many seconds to wait."]),
            ],
            auditedAs: "backup.download"
        ) { call in
            let slot = try environment.streams.downloads.take(call.subject)
            let file = try await environment.snapshots.file(call.required("backup_id"))
            return try BackupDownload(file: file, snapshots: environment.snapshots, slot: slot)
                .reply(call)
        }
    }
}

/// Answers with a snapshot's bytes (RFC 9110, sections 13 and 14).
struct BackupDownload: Sendable {
    private static let pieceByteCount = 1024 * 1024
    private static let decodeWidth = 2

    let file: SnapshotFile
    let snapshots: SnapshotLibrary
    /// Its place among downloads.
    let slot: StreamSlot

    /// - Throws: `Problem` 416.
    func reply(_ call: Call) throws -> Reply {
        let isDecoded = call.text("format") == "mongodump"
        let tag = isDecoded ? "\"\(file.seal)-mongodump\"" : "\"\(file.seal)\""
        var headers: HTTPFields = [
            .eTag: tag, .acceptRanges: isDecoded ? "none" : "bytes",
            .contentType: "application/octet-stream", .cacheControl: "private, no-cache",
        ]
        if Self.matches(call.headers[.ifNoneMatch], tag) {
            return Reply(status: .notModified, headers: headers)
        }
        let name = isDecoded ? file.name.prefix { $0 != "." } + ".archive" : file.name[...]
        headers[.contentDisposition] = "attachment; filename=\"\(name)\""
        guard !isDecoded else { return decoded(headers) }
        let whole = 0..<file.byteCount
        guard let text = call.headers[.range], isCurrent(call.headers[.ifRange], tag),
            let wanted = try ByteRange(text, of: file.byteCount)
        else { return stored(whole, .ok, headers) }
        headers[.contentRange] =
            "bytes \(wanted.bytes.lowerBound)-\(wanted.bytes.upperBound - 1)/\(file.byteCount)"
        return stored(wanted.bytes, .partialContent, headers)
    }

    private static func matches(_ field: String?, _ tag: String) -> Bool {
        guard let field else { return false }
        let tags = field.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
        return tags.contains { $0 == "*" || $0 == tag || $0 == "W/\(tag)" }
    }

    /// A range of something that has changed would be of no use.
    private func isCurrent(_ field: String?, _ tag: String) -> Bool { field == nil || field == tag }

    private func stored(
        _ bytes: Range<UInt64>, _ status: HTTPResponse.Status, _ headers: HTTPFields
    ) -> Reply {
        Reply(
            status: status, headers: headers,
            content: .stream(byteCount: Int(bytes.count)) { [file, snapshots, slot] writer in
                defer { withExtendedLifetime(slot) {} }
                try await snapshots.reading(file) {
                    var offset = bytes.lowerBound
                    while offset < bytes.upperBound {
                        let count = min(Self.pieceByteCount, Int(bytes.upperBound - offset))
                        let piece = try await file.read(at: offset, count: count)
                        try await writer.write(piece)
                        offset += UInt64(piece.count)
                    }
                }
            })
    }

    /// A chunk that is damaged ends the connection before the body's end, so that no client takes
    /// what it has for all.
    private func decoded(_ headers: HTTPFields) -> Reply {
        Reply(
            status: .ok, headers: headers,
            content: .stream(byteCount: nil) { [file, snapshots, slot] writer in
                defer { withExtendedLifetime(slot) {} }
                try await snapshots.reading(file) {
                    try await file.decode(width: Self.decodeWidth) { chunk in
                        try await writer.write(chunk.bytes)
                    }
                }
            })
    }
}

/// One range of bytes that a client asks for.
struct ByteRange: Hashable {
    let bytes: Range<UInt64>

    /// Nil for what is no range, or more than one: all is given then, as RFC 9110 has it.
    ///
    /// - Throws: `Problem` 416 for a range that there is not.
    init?(_ text: String, of byteCount: UInt64) throws {
        guard text.lowercased().hasPrefix("bytes=") else { return nil }
        let ends = text.dropFirst(6).split(
            separator: "-", maxSplits: 1, omittingEmptySubsequences: false
        ).map { $0.trimmingCharacters(in: .whitespaces) }
        guard ends.count == 2, ends != ["", ""],
            ends.allSatisfy({ $0.utf8.allSatisfy { (48...57).contains($0) } })
        else { return nil }
        let last = byteCount == 0 ? 0 : byteCount - 1
        let bounds: (UInt64, UInt64)?
        switch (UInt64(ends[0]), UInt64(ends[1])) {
        case (let start?, let end?): bounds = start > end ? nil : (start, min(end, last))
        case (let start?, nil) where ends[1].isEmpty: bounds = (start, last)
        case (nil, let count?) where ends[0].isEmpty:
            bounds = count == 0 ? (byteCount, last) : (byteCount - min(count, byteCount), last)
        default: return nil
        }
        guard let (start, end) = bounds else { return nil }
        guard start < byteCount, start <= end else {
            throw Problem(
                .rangeNotSatisfiable, "no_such_range", "the archive has \(byteCount) bytes",
                headers: [.contentRange: "bytes */\(byteCount)"])
        }
        bytes = start..<end + 1
    }
}
