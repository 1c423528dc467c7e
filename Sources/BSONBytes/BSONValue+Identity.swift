extension BSONValue {
    /// Whether a server would take both for the same `_id` (in a collection without a collation):
    /// numbers by their value whatever their type, all else by type and bytes.
    ///
    /// A decimal equals another type's number only when it is given as a decimal.
    public func isSameID(as other: BSONValue) -> Bool {
        if type == other.type && bytes == other.bytes { return true }
        switch (wholeNumber64, other.wholeNumber64) {
        case (let left?, let right?): return left == right
        case (nil, nil):
            guard let left = double, let right = other.double else { return false }
            return left == right || left.isNaN && right.isNaN
        default: return false
        }
    }

    private var wholeNumber64: Int64? {
        int32.map(Int64.init) ?? int64 ?? double.flatMap { Int64(exactly: $0) }
    }
}
