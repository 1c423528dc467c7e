/// What a process that is dead has left of an upload, and what it had noted beside it.
public struct UnfinishedUpload: Sendable {
    /// The key that it was to be published under.
    public let key: String
    public let note: [UInt8]
    /// What was written of it; after a power cut parts of that may be missing.
    public let reader: any ObjectReader
    let fileNames: [String]
}
