internal import ArchiveEngine
internal import ObjectStorage

/// An object that is being written, as the engine's sink.
struct UploadSink: ArchiveEngine.ByteSink {
    let upload: any ObjectStorage.ByteSink

    func write(_ bytes: [UInt8]) async throws {
        try await upload.write(bytes)
    }
}

/// A stored object, as the engine's source.
struct ObjectSource: ArchiveEngine.ByteSource {
    let reader: any ObjectReader

    var byteCount: UInt64 { reader.byteCount }

    func read(at offset: UInt64, count: Int) async throws -> [UInt8] {
        try await reader.read(at: offset, count: count)
    }
}

/// A pipe, as the engine's stream.
struct PipeByteStream: ArchiveEngine.ByteStream {
    let pipe: PipeStream

    func read(upTo count: Int) async throws -> [UInt8] {
        try await pipe.read(upTo: count)
    }
}
