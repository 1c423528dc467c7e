internal import BSONBytes

/// Which keys of `_id`s an index may leave out. Keys order as the values do, but for different
/// values that share one; and every array's key is the same, so one that a filter reaches into is
/// never left out.
extension Condition {
    /// Whether a document may fulfil it whose `_id` has a key in the range.
    func mayHold(idsIn keys: ClosedRange<DocumentKey>) -> Bool {
        switch self {
        case .field(let path, let condition):
            path.name != "_id" || condition.mayHold(idsIn: keys)
        case .all(let conditions): conditions.allSatisfy { $0.mayHold(idsIn: keys) }
        case .any(let conditions): conditions.contains { $0.mayHold(idsIn: keys) }
        case .not: true
        }
    }
}

extension FieldCondition {
    fileprivate func mayHold(idsIn keys: ClosedRange<DocumentKey>) -> Bool {
        switch self {
        case .test(let test):
            test.keys.map { $0.contains { $0.overlaps(keys) } } ?? true
        case .all(let conditions): conditions.allSatisfy { $0.mayHold(idsIn: keys) }
        case .not: true
        case .never: false
        }
    }
}

extension FieldTest {
    /// All keys that a value which passes may have; nil when any may.
    fileprivate var keys: [ClosedRange<DocumentKey>]? {
        switch self {
        case .compares(let comparison, let constant):
            guard let range = constant.keys(comparison) else { return nil }
            return [range, Self.arrays]
        case .isOneOf(let list, let patterns):
            guard patterns.isEmpty, !list.hasNull else { return nil }
            let ranges = list.constants.compactMap { $0.keys(.equal) }
            return ranges.count == list.constants.count ? ranges + [Self.arrays] : nil
        default: return nil
        }
    }

    private static let arrays: ClosedRange<DocumentKey> = {
        let key = DocumentKey(BSONValue(type: .array, bytes: [5, 0, 0, 0, 0]))
        return key...key
    }()
}

extension Constant {
    /// The keys of values of the same class that compare so; nil when other classes may as well.
    fileprivate func keys(_ comparison: Comparison) -> ClosedRange<DocumentKey>? {
        let isOpen = [.null, .undefined, .array].contains(value.type)
        let isEnd = value.type == .minKey || value.type == .maxKey
        guard !isOpen, !isEnd || comparison == .equal else { return nil }
        let key = DocumentKey(value)
        guard let first = key.bytes.first, let lowest = DocumentKey(bytes: [first]),
            let highest = DocumentKey(
                bytes: [first] + Array(repeating: 0xFF, count: DocumentKey.byteCountMax - 1))
        else { return nil }
        let low = comparison.includesLess ? lowest : key
        let high = comparison.includesGreater ? highest : key
        return low...high
    }
}
