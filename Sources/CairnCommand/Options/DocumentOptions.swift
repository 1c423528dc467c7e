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

    /// An `_id`, as `BSONValue(identifier:)` reads it.
    ///
    /// - Throws: `Failure` with `usage`.
    static func id(_ text: String) throws -> BSONValue {
        do throws(ExtendedJSONError) {
            return try BSONValue(identifier: text)
        } catch {
            throw Failure.usage("the _id can't be read as Extended JSON: \(error)")
        }
    }
}
