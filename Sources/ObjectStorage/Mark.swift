/// A kind of small files beside the objects of a store: hidden, so that nobody takes one for an
/// object, and replaced as a whole. What they mean is the business of the layers above.
public struct MarkKind: Hashable, Sendable {
    /// Bytes of the longest mark.
    public static let byteCountMax = 64 * 1024

    /// What its files' names end in, such as `.verified`.
    public let suffix: String
    /// Whether a mark is on stable storage when it was written.
    public let isDurable: Bool

    /// - Parameter suffix: a dot and lowercase letters.
    public init(suffix: String, isDurable: Bool) {
        precondition(suffix.utf8.first == UInt8(ascii: "."), "a suffix begins with a dot")
        self.suffix = suffix
        self.isDurable = isDurable
    }

    /// The name of a mark's file.
    func fileName(_ name: String) -> String { "." + name + suffix }

    /// The name of the mark whose file is called so; nil for any other file.
    func name(ofFile fileName: String) -> String? {
        guard fileName.utf8.first == UInt8(ascii: "."), fileName.hasSuffix(suffix) else {
            return nil
        }
        let name = fileName.dropFirst().dropLast(suffix.count)
        return name.isEmpty ? nil : String(name)
    }
}

/// How much room a store has.
public struct StorageSpace: Hashable, Sendable {
    /// Bytes that can still be written by this user.
    public let freeByteCount: UInt64
    /// Bytes in all.
    public let totalByteCount: UInt64

    /// - Parameters:
    ///   - freeByteCount: what this user can still write.
    ///   - totalByteCount: of the whole file system.
    public init(freeByteCount: UInt64, totalByteCount: UInt64) {
        self.freeByteCount = freeByteCount
        self.totalByteCount = totalByteCount
    }
}
