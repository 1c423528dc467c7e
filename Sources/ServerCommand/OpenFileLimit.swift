internal import Glibc
internal import Logging

/// How many files and connections a process may have open.
enum OpenFileLimit {
    /// What the service has open beside connections: archives, records, the database server.
    private static let reserve = 512

    /// Raises the limit of this process to what connections need, as far as it may: mostly it is
    /// 1024 until a program asks for more, and connections beyond it would be refused.
    static func raise(forConnections count: Int, _ logger: Logger) {
        var limit = rlimit()
        let wanted = rlim_t(count + reserve)
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0,
            limit.rlim_cur < wanted
        else { return }
        limit.rlim_cur = min(wanted, limit.rlim_max)
        guard setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        if limit.rlim_cur < wanted {
            logger.warning(
                "fewer files may be open than the connections that are allowed",
                metadata: ["open_files": "\(limit.rlim_cur)", "connections": "\(count)"])
        }
    }
}
