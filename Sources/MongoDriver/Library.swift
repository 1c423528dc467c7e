import CMongoC
import Glibc

/// libmongoc, started once per process on first use and never stopped: a clean-up would race with
/// whatever still runs at exit, and the process gives everything back anyway, but for what
/// `DriverCounters` removes.
///
/// Its log must not be written into a program's standard error; see `DriverLog`.
let library: Void = {
    mongoc_init()
    DriverLog.install()
    DriverCounters.remove()
}()

/// The counters that libmongoc puts into shared memory as soon as a program is loaded, under the
/// process's number, for a tool of its own to read.
public enum DriverCounters {
    /// Removes their name; they themselves go with the process. Otherwise each process that ends
    /// without cleaning up leaves a file for good, and one that gets the same number later
    /// complains on standard error. To be called at a program's start.
    public static func remove() {
        shm_unlink("/mongoc-\(getpid())")
    }
}
