/// This program, as it names itself in archives and on the command line.
public enum Tool {
    public static let version = "0.1.0"
    /// Name and version: what manifests and preludes say.
    public static let description = "cairn \(version)"
}
