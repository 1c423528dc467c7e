import Glibc

/// Where a `mongod` to start is found.
public enum ServerBinary {
    /// The path in `CAIRN_MONGOD`, else a `mongod` on `PATH`, else the one that
    /// `Scripts/setup` put under `.tools` in the package; nil when there is none.
    public static let path: String? = candidates.first { access($0, X_OK) == 0 }

    private static var candidates: [String] {
        if let stated = environment("CAIRN_MONGOD"), !stated.isEmpty { return [stated] }
        let folders = (environment("PATH") ?? "").split(separator: ":")
        let packageRoot = #filePath.split(separator: "/", omittingEmptySubsequences: false)
            .dropLast(3).joined(separator: "/")
        return folders.map { "\($0)/mongod" }
            + ["\(packageRoot)/.tools/mongod/fiftyone/db/bin/mongod"]
    }

    private static func environment(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }
    }
}
