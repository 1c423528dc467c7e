internal import Glibc

/// Seconds that all processors of this machine have worked since it was started, whoever they
/// worked for; those of this process where the system does not tell.
@Sendable func busyProcessorSeconds() -> Double {
    if let file = fopen("/proc/stat", "r") {
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 512)
        if fgets(&line, Int32(line.count), file) != nil {
            let text = String(decoding: line.prefix { $0 != 0 }.map(UInt8.init), as: UTF8.self)
            // cpu user nice system idle iowait irq softirq steal …
            let ticks = text.split(separator: " ").dropFirst().compactMap { Double($0) }
            if ticks.count >= 7 {
                let busy = ticks[0] + ticks[1] + ticks[2] + ticks[5] + ticks[6]
                return busy / Double(max(1, sysconf(Int32(_SC_CLK_TCK))))
            }
        }
    }
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}
