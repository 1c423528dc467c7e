internal import ArchiveFormat
internal import ArgumentParser
internal import BSONBytes
internal import ExtendedJSON
internal import SnapshotJSON
internal import Snapshots

/// `cairn get`.
struct GetCommand: Job {
    static let configuration = CommandConfiguration(
        commandName: "get",
        abstract: "Show one document of a snapshot.",
        usage: "cairn get (<id> | --archive <file>) <collection> <document> [<options>]",
        discussion: """
            Only the chunks that may hold the document are read, and no server is needed.

            The _id is Extended JSON: 42, '"text"', '{"$oid": "…"}'. 24 hexadecimal digits are an \
            ObjectId, and what is no JSON and does not begin like it is a string. Whole and \
            floating numbers are found whatever their type, decimals only by the same bytes. In \
            front of a negative number write --.

            Examples:
              cairn get latest shop.orders 1042
              cairn get latest shop.users 65f0c2a4b1d2e3f405162738 --canonical
              cairn get --archive dump.archive.gz shop.users '"ann"'
            """)

    @OptionGroup var source: ArchiveOptions

    /// Collection and `_id`, and a snapshot's identifier in front unless a file is given.
    @Argument(
        help: ArgumentHelp(
            "The collection, as database.collection, and the document's _id.",
            valueName: "collection> <document"))
    var names: [String] = []

    /// Whether every type is kept.
    @Flag(help: "Show canonical Extended JSON, which keeps every type, on one line.")
    var canonical = false

    @OptionGroup var width: WidthOptions
    @OptionGroup var lock: LockOptions
    @OptionGroup var config: ConfigurationOptions
    @OptionGroup var output: OutputOptions

    var isItsOutput: Bool { true }

    func perform(_ observer: any JobObserver) async throws -> JobResult {
        let (source, names) = try source.divided(names, count: 2, "a collection and an _id")
        let namespace = try DocumentName.namespace(names[0])
        let id = try DocumentName.id(names[1])
        let width = try width.resolved(try await config.load())
        let archive = try await source.locate()
        let finding = try await naming(archive.name) {
            try await lock.using(archive, as: .read, observer) {
                try await DocumentLookup(archive.location, width: width).find(id, in: namespace)
            }
        }
        guard let document = finding.document else {
            throw Failure(
                .failed, SnapshotError.Code.notFound.rawValue,
                "there is no document with _id \(names[1]) in \(namespace) of \(archive.name)")
        }
        let encoded = try ExtendedJSONWriter().encoded(
            BSONValue(type: .document, bytes: document.bytes[...]))
        let exact = String(decoding: encoded.utf8, as: UTF8.self)
        let readable = try ExtendedJSONWriter(mode: .relaxed, layout: .indented).text(of: document)
        var result = JobResult(
            text: canonical ? exact : readable,
            json: .object([
                "collection": .string(namespace.description),
                "document": .verbatim(exact),
                "chunks_read": .count(finding.chunkCount),
                "invalid_strings": .count(encoded.invalidStringCount),
            ]))
        result.warn(ofInvalidStrings: UInt64(encoded.invalidStringCount))
        return result
    }
}
