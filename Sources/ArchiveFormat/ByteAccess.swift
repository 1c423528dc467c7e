extension [UInt8] {
    /// `withUnsafeBytes` for what throws an `ArchiveError`, which keeps its type.
    func reading<Value>(
        _ body: (UnsafeRawBufferPointer) throws(ArchiveError) -> Value
    ) throws(ArchiveError) -> Value {
        let outcome: Result<Value, ArchiveError> = withUnsafeBytes { bytes in
            do throws(ArchiveError) {
                return .success(try body(bytes))
            } catch {
                return .failure(error)
            }
        }
        return try outcome.get()
    }
}
