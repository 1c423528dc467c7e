import ArchiveEngine
import ArchiveFormat
import BSONBytes
import ExtendedJSON
import Foundation
import Snapshots

/// Folders as mongodump writes them, made of archives.
enum MadeDump {
    /// What mongodump leaves of a name that is too long for a file's, and how much of it.
    private static let (stemByteCountMax, keptByteCount) = (238, 208)

    /// Writes what an archive holds.
    ///
    /// - Parameter isGzip: whether the file of that number is gzip.
    static func write(
        _ archive: ArchiveLocation, to folder: String, isGzip: (Int) -> Bool = { _ in false }
    ) async throws {
        let reader = try await archive.open().reader
        var documents: [Namespace: [UInt8]] = [:]
        while let pending = try await reader.next() {
            let chunk = try pending.decoded()
            for block in chunk.blocks {
                documents[block.header.namespace, default: []] += chunk.bytes[block.documents]
            }
        }
        var number = 0
        func put(_ content: [UInt8], _ name: String) throws {
            let file = folder + "/" + name
            try FileManager.default.createDirectory(
                atPath: URL(filePath: file).deletingLastPathComponent().path,
                withIntermediateDirectories: true)
            let gzip = isGzip(number)
            number += 1
            try Data(gzip ? Gzip.stored(content) : content)
                .write(to: URL(filePath: file + (gzip ? ".gz" : "")))
        }
        let version = reader.prelude.serverVersion
        try put(Array("{\"ServerVersion\":\"\(version)\"}".utf8), "prelude.json")
        for descriptor in reader.prelude.namespaces {
            let content = documents[descriptor.dataNamespace] ?? []
            if descriptor.isOplog {
                try put(content, "oplog.bson")
                continue
            }
            let database = descriptor.namespace.database
            let text = try metadata(of: descriptor)
            let name = stem(descriptor.namespace.collection)
            try put(Array(text.utf8), "\(database)/\(name).metadata.json")
            if descriptor.type == .view { continue }
            try put(content, "\(database)/\(stem(descriptor.dataCollection)).bson")
        }
    }

    static func metadata(of descriptor: NamespaceDescriptor) throws -> String {
        try ExtendedJSONWriter().text(
            of: BSONDocument {
                $0.append("options", descriptor.options)
                $0.append("indexes", array: descriptor.indexes)
                if let uuid = descriptor.uuid {
                    $0.append("uuid", uuid.map { String(format: "%02x", $0) }.joined())
                }
                $0.append("collectionName", descriptor.namespace.collection)
                $0.append("type", descriptor.type.rawValue)
            })
    }

    /// The name of a collection's file without its suffix.
    static func stem(_ collection: String) -> String {
        let allowed = CharacterSet(
            charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~ ")
        let escaped = collection.addingPercentEncoding(withAllowedCharacters: allowed) ?? ""
        let whole = escaped.replacingOccurrences(of: " ", with: "+")
        guard whole.utf8.count > stemByteCountMax else { return whole }
        // No reader computes the hash.
        let hashByteCount = stemByteCountMax - keptByteCount - 3
        return whole.prefix(keptByteCount) + "%24" + String(repeating: "h", count: hashByteCount)
    }
}

/// A gzip file as any program may write one: here without compression.
enum Gzip {
    static func stored(_ content: [UInt8]) -> [UInt8] {
        var file: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255]
        var rest = content[...]
        repeat {
            let piece = rest.prefix(65_535)
            rest = rest.dropFirst(piece.count)
            let count = UInt16(piece.count)
            file.append(rest.isEmpty ? 1 : 0)
            file += [
                UInt8(count & 255), UInt8(count >> 8), UInt8(~count & 255), UInt8(~count >> 8),
            ]
            file += piece
        } while !rest.isEmpty
        for value in [crc32(content), UInt32(truncatingIfNeeded: content.count)] {
            file += (0..<4).map { UInt8(value >> (8 * $0) & 255) }
        }
        return file
    }

    private static func crc32(_ content: [UInt8]) -> UInt32 {
        var crc: UInt32 = .max
        for byte in content {
            crc ^= UInt32(byte)
            for _ in 0..<8 { crc = crc >> 1 ^ (crc & 1 == 1 ? 0xEDB8_8320 : 0) }
        }
        return ~crc
    }
}
