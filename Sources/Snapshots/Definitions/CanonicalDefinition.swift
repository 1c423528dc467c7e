internal import ArchiveFormat
internal import BSONBytes

/// A collection's definition in one form for all that mean the same: servers list what they were
/// told in their own words, such as `sparse: true` for an old `sparse: 1`. Two definitions are the
/// same when these are.
struct CanonicalDefinition {
    /// Without those that say what a server does anyway; in no particular order.
    let options: BSONDocument
    /// Those of `CollectionDefinition`, by the bytes of their names.
    let indexes: [[UInt8]: BSONDocument]

    init(_ definition: CollectionDefinition) throws {
        options = try Self.options(definition.options)
        indexes = Dictionary(
            try definition.indexes.map { index in
                (Array(try index.require("name", \.string).utf8), try Self.index(index))
            },
            uniquingKeysWith: { first, _ in first })
    }

    private static let switches: Set<String> = ["unique", "sparse", "hidden", "prepareUnique"]
    /// What servers take and do not keep, or do nothing with.
    private static let withoutMeaning: Set<String> = ["background", "dropDups", "flags"]

    /// An index as servers list it.
    static func index(_ index: BSONDocument) throws -> BSONDocument {
        try BSONDocument { builder in
            var hasVersion = false
            for element in try index.asListed.elements() {
                switch element.name {
                case let name where withoutMeaning.contains(name): continue
                case let name where switches.contains(name):
                    if element.value.isTruthy { builder.append(name, true) }
                case "expireAfterSeconds": append(element, to: &builder)
                case "collation" where try isSimple(element.value): continue
                default:
                    hasVersion = hasVersion || element.name == "v"
                    builder.append(element)
                }
            }
            // The one that a server builds when it is not told another.
            if !hasVersion { builder.append("v", Int64(2)) }
        }
    }

    /// Whether an index was built as it was wanted, both in this form.
    static func isBuilt(
        _ wanted: BSONDocument, as present: BSONDocument, _ rules: DefinitionRules
    ) throws -> Bool {
        if try wanted.hasSameFields(as: present) { return true }
        guard rules.letsServerIgnoreOptions else { return false }
        // Without the options that the server was asked to leave out if it does not know them.
        let taken = try BSONDocument { builder in
            for element in try wanted.elements() {
                let isKnown = IndexOptionName.isKnown(element.name, nil)
                if try isKnown || present.first(element.name) != nil { builder.append(element) }
            }
        }
        return try taken.hasSameFields(as: present)
    }

    private static func options(_ options: BSONDocument) throws -> BSONDocument {
        try BSONDocument { builder in
            for element in try options.elements() {
                switch element.name {
                case let name where withoutMeaning.contains(name): continue
                case "validationLevel" where element.value.string == "strict": continue
                case "validationAction" where element.value.string == "error": continue
                case "validator" where element.value.document?.isEmpty == true: continue
                case "capped", "recordPreImages":
                    if element.value.isTruthy { builder.append(element.name, true) }
                case "changeStreamPreAndPostImages" where try !isEnabled(element.value): continue
                case "size", "max", "expireAfterSeconds": append(element, to: &builder)
                case "timeseries", "clusteredIndex":
                    builder.append(element.name, try sorted(element.value.document))
                default: builder.append(element)
                }
            }
        }
    }

    /// How a time series packs its measurements, whatever the order of its fields.
    static func buckets(of options: BSONDocument) throws -> BSONDocument {
        try sorted(options.first("timeseries")?.document)
    }

    private static func sorted(_ document: BSONDocument?) throws -> BSONDocument {
        try BSONDocument { builder in
            for element in try (document?.elements() ?? []).sorted(by: { $0.name < $1.name }) {
                append(element, to: &builder)
            }
        }
    }

    /// A whole number in one type.
    private static func append(_ element: BSONElement, to builder: inout BSONBuilder) {
        if let number = element.value.wholeNumber {
            builder.append(element.name, Int64(number))
        } else {
            builder.append(element)
        }
    }

    private static func isSimple(_ collation: BSONValue) throws -> Bool {
        try collation.document?.first("locale")?.string == "simple"
    }

    private static func isEnabled(_ images: BSONValue) throws -> Bool {
        try images.document?.first("enabled")?.isTruthy ?? false
    }
}
