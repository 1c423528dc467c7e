import CMongoC

/// libmongoc, started once per process on first use and never stopped: a clean-up would race with
/// whatever still runs at exit, and the process gives everything back anyway.
///
/// Its log is off: all it says that matters comes back as errors, and it must not write into a
/// program's standard error, not even while it starts.
let library: Void = {
    mongoc_log_set_handler(nil, nil)
    mongoc_init()
}()
