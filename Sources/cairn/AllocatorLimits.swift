import CMalloc

/// Makes memory that was freed go back to the system. Chunks and replies are megabytes each, come
/// on one thread and go on another; left to itself glibc keeps what they leave in the heap of every
/// thread, twice of what is in use, and more the longer a run takes.
///
/// To be called before there are other threads. Cost: page faults, about a millisecond a MB.
func limitAllocator() {
    // Whatever is as large has pages of its own. Stating it also keeps glibc from raising it.
    mallopt(M_MMAP_THRESHOLD, 1024 * 1024)
    mallopt(M_ARENA_MAX, 2)
}
