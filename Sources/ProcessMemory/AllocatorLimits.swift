internal import CGlibc

/// Makes memory that was freed be used again. Chunks and replies are megabytes each, come on one
/// thread and go on another. Left to itself glibc gives each of them pages of its own, which the
/// kernel has to clear and map every time: that took 40 % of a backup's processor time. With a heap
/// for every thread instead, each would keep what it once needed. So: one heap for all threads,
/// which keeps what is freed; peak memory is then a matter of what is in use at once.
///
/// To be called before there are other threads.
public func limitAllocator() {
    mallopt(M_ARENA_MAX, 1)
    // What is larger is a single large document, or a copy of one. It is given back to the kernel
    // when it is freed: in the heap such pieces leave holes of megabytes between them.
    mallopt(M_MMAP_THRESHOLD, 12 * 1024 * 1024)
    mallopt(M_TRIM_THRESHOLD, 1024 * 1024 * 1024)
    mallopt(M_TOP_PAD, 16 * 1024 * 1024)
}
