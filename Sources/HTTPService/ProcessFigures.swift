internal import BlockingCalls
internal import Glibc
internal import PrometheusMetrics
internal import Snapshots

/// What the operating system knows of this process, by the names that Prometheus's clients use.
enum ProcessFigures {
    /// The figures as they are now; what can't be read is left out.
    static func samples() -> [Sample] {
        var samples = [
            Sample(
                "cairn_build_info", value: 1, labels: ["version": Tool.description],
                help: "The program that runs: always 1."),
            Sample(
                "process_cpu_seconds_total", kind: .counter, value: processorSeconds,
                help: "Processor time that the process has taken."),
        ]
        func add(_ name: String, _ value: Double?, _ help: String) {
            if let value { samples.append(Sample(name, value: value, help: help)) }
        }
        let memory = fields("/proc/self/statm").compactMap(Double.init)
        let page = Double(sysconf(Int32(_SC_PAGESIZE)))
        add(
            "process_virtual_memory_bytes", memory.first.map { $0 * page },
            "Memory that the process may address.")
        add(
            "process_resident_memory_bytes", memory.dropFirst().first.map { $0 * page },
            "Memory that the process has.")
        add("process_open_fds", openFileCount, "Files and connections that are open.")
        add("process_max_fds", openFileCountMax, "How many may be.")
        add("process_start_time_seconds", startedAt, "When the process began, since 1970.")
        return samples
    }

    private static var processorSeconds: Double { Double(ProcessorTime.ofProcess) * 1e-9 }

    private static var openFileCount: Double? {
        guard let folder = opendir("/proc/self/fd") else { return nil }
        defer { closedir(folder) }
        var count = 0
        while readdir(folder) != nil { count += 1 }
        // Without the folder itself, its parent, and what it is read by.
        return Double(max(count - 3, 0))
    }

    private static var openFileCountMax: Double? {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
            return nil
        }
        return Double(limit.rlim_cur)
    }

    /// The machine's start, and how long after it the process began: the 22nd field of its status,
    /// 19 behind the name, which may hold blanks.
    private static var startedAt: Double? {
        let boot = text("/proc/stat").split(separator: "\n")
            .first { $0.hasPrefix("btime ") }.flatMap { Double($0.dropFirst(6)) }
        let status = text("/proc/self/stat")
        guard let boot, let end = status.lastIndex(of: ")") else { return nil }
        let fields = status[end...].split(separator: " ")
        guard fields.count > 20, let ticks = Double(fields[20]) else { return nil }
        return boot + ticks / Double(sysconf(Int32(_SC_CLK_TCK)))
    }

    private static func fields(_ path: String) -> [Substring] {
        text(path).split { $0 == " " || $0 == "\n" }
    }

    /// The beginning of a file; nothing of one that can't be read.
    private static func text(_ path: String) -> String {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return "" }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 256 * 1024)
        var count = 0
        while count < bytes.count {
            let taken = bytes[count...].withUnsafeMutableBytes { buffer in
                read(descriptor, buffer.baseAddress, buffer.count)
            }
            if taken <= 0 { break }
            count += taken
        }
        return String(decoding: bytes[..<count], as: UTF8.self)
    }
}
