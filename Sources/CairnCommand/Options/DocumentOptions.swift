internal import ArchiveFormat
internal import BSONBytes
internal import DocumentQuery
internal import ExtendedJSON
internal import Snapshots

/// How collections, `_id`s and filters are named on the command line.
enum DocumentName {
    /// `database.collection`.
    ///
    /// - Throws: `Failure` with `usage`.
    static func namespace(_ text: String) throws -> Namespace {
        guard let namespace = Namespace(parsing: text) else {
            throw Failure.usage("a collection is named database.collection, not \"\(text)\"")
        }
        return namespace
    }

    /// A filter in Extended JSON.
    ///
    /// - Throws: `Failure` with `usage`, which says where in the text or in the filter.
    static func filter(_ text: String) throws -> DocumentFilter {
        let document: BSONDocument
        do throws(ExtendedJSONError) {
            document = try ExtendedJSONParser.document(text)
        } catch {
            throw Failure.usage("the filter can't be read as Extended JSON: \(error)")
        }
        do throws(QueryError) {
            return try DocumentFilter(document)
        } catch {
            throw Failure.usage("the filter can't be used: \(error)")
        }
    }

    /// An `_id`: Extended JSON such as `42`, `"42"` or `{"$oid": "…"}`; 24 hexadecimal digits are
    /// an ObjectId; anything else that does not begin like JSON's own marks is a string.
    ///
    /// - Throws: `Failure` with `usage` for what begins with a brace, a bracket or a quotation mark
    ///   and is no Extended JSON.
    static func id(_ text: String) throws -> BSONValue {
        if text.utf8.count == 24, text.allSatisfy(\.isHexDigit) {
            let digits = Array(text)
            let bytes = stride(from: 0, to: 24, by: 2).compactMap {
                UInt8(String(digits[$0...$0 + 1]), radix: 16)
            }
            return BSONValue(type: .objectID, bytes: bytes[...])
        }
        do throws(ExtendedJSONError) {
            return try ExtendedJSONParser.value(utf8: Array(text.utf8))
        } catch {
            guard !["{", "[", "\""].contains(text.prefix(1)) else {
                throw Failure.usage("the _id can't be read as Extended JSON: \(error)")
            }
            let document = BSONDocument { $0.append("", text) }
            return BSONValue(type: .string, bytes: document.bytes[6..<document.bytes.count - 1])
        }
    }
}
