/// One hot function with data to work on: what the micro-benchmarks time and what has its
/// instructions counted. Nothing here measures; a kernel is only run.
public struct Kernel: Sendable {
    /// What the cost of a kernel is told for.
    public enum Unit: String, Sendable {
        /// A million bytes of documents, uncompressed.
        case megabyte = "MB"
        /// One document; those of the sample have 860 bytes on average.
        case document
        /// One row of an index.
        case row
        /// One call.
        case call
    }

    /// The name on the command line and in results: words in lower case with hyphens.
    public let name: String
    public let unit: Unit
    /// Makes the kernel's data out of a sample; this part is never measured.
    ///
    /// - Throws: what the functions that make the data throw.
    public let prepare: @Sendable (KernelSample) throws -> PreparedKernel

    /// Every kernel there is, in the order in which results are shown.
    public static let all: [Kernel] =
        codecs + checksums + documents + chunks + indexes

    /// The kernel of that name, or nil.
    public static func named(_ name: String) -> Kernel? {
        all.first { $0.name == name }
    }
}

/// A kernel with its data, to be run as often as one likes.
public struct PreparedKernel {
    /// How much of the kernel's unit one run works through, such as 1.05 megabytes.
    public let amount: Double
    /// Runs once. The result depends on all of the work, so that none of it can be optimised away;
    /// it is the same each time.
    ///
    /// - Throws: what the function throws; never, with the data made for it.
    public let run: () throws -> UInt64
}
