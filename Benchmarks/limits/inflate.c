/* The limit of verifying: the chunks of a Cairn archive decoded by some threads, each into a buffer
 * that it uses again and again. No checksum is looked at.
 *
 * Usage: inflate FILE [THREADS]
 *
 * gzip by ISA-L, zstd by libzstd. Chunks are found by the headers that formats/archive.md describes
 * (sections 3 and 4). Prints {"seconds", "frames", "bytes"}: what was decoded. The time is that of
 * walking and decoding alone.
 */
#include <isa-l/igzip_lib.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <zstd.h>

enum { threads_max = 64, raw_bytes_max = 64 << 20, header_bytes = 72, gzip_tail_bytes = 8 };

static const uint8_t *file;
static uint64_t file_bytes, offset, frame_count, total_bytes;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

static void fail(const char *why) {
    fprintf(stderr, "inflate: %s\n", why);
    exit(1);
}

/* A frame: what its codec decodes, and what to. */
struct frame {
    const uint8_t *start;
    uint64_t byte_count, raw_bytes;
    bool is_gzip;
};

/* Takes the next frame of the file that decodes to anything; false at the end. */
static bool take(struct frame *frame) {
    pthread_mutex_lock(&mutex);
    bool is_found = false;
    while (!is_found && offset < file_bytes) {
        const uint8_t *start = file + offset;
        if (file_bytes - offset < 16 + header_bytes) fail("the file is cut");
        bool is_gzip = start[0] == 0x1F && start[1] == 0x8B;
        const uint8_t *header = start + (is_gzip ? 16 : 8);
        if (memcmp(header, "CRNC", 4)) fail("no chunk header where one must be");
        uint64_t stored_bytes, front = 8 + header_bytes;
        memcpy(&stored_bytes, header + 16, 8);
        memcpy(&frame->raw_bytes, header + 24, 8);
        if (stored_bytes < 96 || stored_bytes > file_bytes - offset) fail("the file is cut");
        if (is_gzip) front = 12 + (start[10] | start[11] << 8);
        frame->start = start + front;
        frame->byte_count = stored_bytes - front - (is_gzip ? gzip_tail_bytes : 0);
        frame->is_gzip = is_gzip;
        offset += stored_bytes;
        is_found = frame->raw_bytes > 0;
    }
    if (is_found) frame_count += 1, total_bytes += frame->raw_bytes;
    pthread_mutex_unlock(&mutex);
    return is_found;
}

static void *inflate_frames(void *unused) {
    static __thread struct inflate_state state;
    ZSTD_DCtx *context = ZSTD_createDCtx();
    uint8_t *buffer = malloc(raw_bytes_max);
    struct frame frame;
    while (take(&frame)) {
        size_t count;
        if (frame.raw_bytes > raw_bytes_max) fail("a chunk is too large");
        if (frame.is_gzip) {
            isal_inflate_init(&state);
            state.next_in = (uint8_t *)frame.start, state.avail_in = frame.byte_count;
            state.next_out = buffer, state.avail_out = raw_bytes_max;
            if (isal_inflate_stateless(&state) != ISAL_DECOMP_OK) fail("a chunk is damaged");
            count = state.total_out;
        } else {
            count = ZSTD_decompressDCtx(
                context, buffer, raw_bytes_max, frame.start, frame.byte_count);
        }
        if (count != frame.raw_bytes) fail("a chunk is damaged");
    }
    ZSTD_freeDCtx(context);
    free(buffer);
    return unused;
}

int main(int count, char **arguments) {
    if (count < 2) fail("usage: inflate FILE [THREADS]");
    int thread_count = count > 2 ? atoi(arguments[2]) : 1;
    if (thread_count < 1 || thread_count > threads_max) fail("1 to 64 threads");
    int descriptor = open(arguments[1], O_RDONLY);
    struct stat status;
    if (descriptor < 0 || fstat(descriptor, &status)) fail("the file can't be read");
    file_bytes = status.st_size;
    double start = now();
    file = mmap(NULL, file_bytes, PROT_READ, MAP_PRIVATE | MAP_POPULATE, descriptor, 0);
    if (file == MAP_FAILED) fail("the file can't be mapped");
    pthread_t threads[threads_max];
    for (int index = 0; index < thread_count; index++)
        pthread_create(&threads[index], NULL, inflate_frames, NULL);
    for (int index = 0; index < thread_count; index++) pthread_join(threads[index], NULL);
    double seconds = now() - start;
    printf("{\"seconds\": %.6f, \"frames\": %llu, \"bytes\": %llu}\n", seconds,
           (unsigned long long)frame_count, (unsigned long long)total_bytes);
    return 0;
}
