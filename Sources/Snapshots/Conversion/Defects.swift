internal import ArchiveFormat

/// What is wrong with an archive that is read as far as it goes.
///
/// Unchecked: used by one task after the other.
final class Defects: @unchecked Sendable {
    /// Namespaces whose documents do not have the checksum that stands behind them.
    private(set) var damagedNamespaces: [Namespace] = []
    /// Namespaces whose end is missing.
    private(set) var cutNamespaces: [Namespace] = []

    /// Defects that were passed over, by the namespaces that they are of; nil for that of none.
    private(set) var passedOver: [Namespace?: (first: ArchiveError, count: Int)] = [:]

    /// Where and why reading ended early.
    var ending: ArchiveError?

    /// Whether nothing is wrong.
    var isEmpty: Bool {
        damagedNamespaces.isEmpty && cutNamespaces.isEmpty && passedOver.isEmpty && ending == nil
    }

    /// What is gone: nobody knows how much. Nil when nothing is.
    var loss: Manifest.Loss? {
        isEmpty ? nil : Manifest.Loss(chunkCount: 0, documentCount: nil, mayBeMore: true)
    }

    func passOver(_ error: ArchiveError) {
        let namespace = error.namespace.flatMap { Namespace(parsing: $0) }
        passedOver[namespace, default: (error, 0)].count += 1
    }

    func damaged(_ namespaces: [Namespace]) { damagedNamespaces += namespaces }

    func cut(_ namespaces: [Namespace]) { cutNamespaces += namespaces }
}
