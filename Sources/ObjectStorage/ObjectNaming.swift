/// Which file names a folder's keys may be, and what its unfinished uploads are called.
enum ObjectNaming: Sendable {
    /// Keys chosen by Cairn: up to 200 bytes, no leading dot.
    case repository
    /// Keys chosen by people: whatever the file system takes.
    case anyFileName

    /// Bytes of the longest file name (Linux, `NAME_MAX`).
    private static let fileNameByteCountMax = 255
    private static let repositoryKeyByteCountMax = 200
    private static let partialMark = ".partial-"
    private static let noteMark = ".note"

    /// Checks a key before it becomes a part of a path.
    ///
    /// - Throws: `invalidKey`.
    func validate(_ key: String) throws(ObjectStorageError) {
        let limit =
            self == .repository ? Self.repositoryKeyByteCountMax : Self.fileNameByteCountMax
        let isHidden = key.utf8.first == UInt8(ascii: ".")
        let isPlain = !key.utf8.contains { $0 == UInt8(ascii: "/") || $0 == 0 }
        let isAllowed = self == .repository ? !isHidden : key != "." && key != ".."
        guard !key.isEmpty, key.utf8.count <= limit, isPlain, isAllowed else {
            throw ObjectStorageError(.invalidKey, "not a usable file name:", path: key)
        }
    }

    /// Whether a file of that name in the folder is an object.
    func isKey(_ fileName: String) -> Bool {
        self == .repository
            ? fileName.utf8.first != UInt8(ascii: ".") : Self.partialOwner(fileName) == nil
    }

    /// The name of an unfinished upload: `.<key>.partial-<owner>`, the key cut if need be.
    static func partialName(key: String, owner: OwnerToken) -> String {
        var key = key
        let suffix = partialMark + owner.description
        while key.utf8.count + suffix.utf8.count + 1 > fileNameByteCountMax { key.removeLast() }
        return "." + key + suffix
    }

    /// The name of what an upload has noted beside it.
    static func noteName(key: String, owner: OwnerToken) -> String {
        partialName(key: key + noteMark, owner: owner)
    }

    /// The key of an unfinished upload whose owner is known; nil for its note.
    static func unfinishedKey(_ fileName: String) -> String? {
        guard let mark = fileName.ranges(of: partialMark).last else { return nil }
        let key = fileName[..<mark.lowerBound].dropFirst()
        return key.hasSuffix(noteMark) ? nil : String(key)
    }

    /// The owner of an unfinished upload; nil for any other file name.
    static func partialOwner(_ fileName: String) -> OwnerToken? {
        guard fileName.utf8.first == UInt8(ascii: "."),
            let mark = fileName.ranges(of: partialMark).last
        else { return nil }
        return OwnerToken(parsing: String(fileName[mark.upperBound...]))
    }
}
