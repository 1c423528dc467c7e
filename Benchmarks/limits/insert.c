/* The limit of a restore: documents inserted from memory, by threads that each have a client of
 * their own and take the next batch from a common file.
 *
 * Usage: insert URI DATABASE COLLECTION FILE [THREADS]
 *
 * FILE has documents one after the other. Prints {"seconds", "documents", "bytes"}. The time is
 * that of the loops alone: the file is in memory and every client is connected before.
 */
#include <mongoc/mongoc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Other sizes gained nothing. */
enum { threads_max = 64, batch_size = 1000 };

static const char *uri, *database_name, *collection_name;
static uint8_t *bytes;
static size_t byte_count, offset, document_count;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t connected;

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

static void fail(const char *what, const char *why) {
    fprintf(stderr, "insert: %s: %s\n", what, why);
    exit(1);
}

/* Takes the next documents of the file; answers how many. */
static size_t take(bson_t *documents) {
    size_t count = 0;
    pthread_mutex_lock(&mutex);
    while (count < batch_size && offset < byte_count) {
        int32_t length;
        if (byte_count - offset < sizeof length) fail("file", "cut");
        memcpy(&length, bytes + offset, sizeof length);
        if (length < 5 || (size_t)length > byte_count - offset) fail("file", "no documents");
        if (!bson_init_static(&documents[count], bytes + offset, length)) fail("file", "no BSON");
        offset += length;
        count += 1;
    }
    document_count += count;
    pthread_mutex_unlock(&mutex);
    return count;
}

static void *insert(void *unused) {
    bson_error_t error;
    mongoc_client_t *client = mongoc_client_new(uri);
    mongoc_collection_t *collection =
        mongoc_client_get_collection(client, database_name, collection_name);
    bson_t *ping = BCON_NEW("ping", BCON_INT32(1));
    if (!mongoc_client_command_simple(client, "admin", ping, NULL, NULL, &error))
        fail("connecting", error.message);
    bson_t *options = BCON_NEW("ordered", BCON_BOOL(false), "validate", BCON_BOOL(false),
                               "writeConcern", "{", "w", BCON_INT32(1), "}");
    /* A bson_t is aligned beyond what malloc promises. */
    bson_t *documents = aligned_alloc(_Alignof(bson_t), sizeof(bson_t) * batch_size);
    const bson_t *pointers[batch_size];
    for (int index = 0; index < batch_size; index++) pointers[index] = &documents[index];

    pthread_barrier_wait(&connected);
    size_t count;
    while ((count = take(documents)) > 0) {
        if (!mongoc_collection_insert_many(collection, pointers, count, options, NULL, &error))
            fail("inserting", error.message);
    }
    free(documents);
    bson_destroy(options);
    bson_destroy(ping);
    mongoc_collection_destroy(collection);
    mongoc_client_destroy(client);
    return unused;
}

int main(int count, char **arguments) {
    if (count < 5) fail("usage", "insert URI DATABASE COLLECTION FILE [THREADS]");
    uri = arguments[1], database_name = arguments[2], collection_name = arguments[3];
    int thread_count = count > 5 ? atoi(arguments[5]) : 2;
    if (thread_count < 1 || thread_count > threads_max) fail("usage", "1 to 64 threads");

    FILE *file = fopen(arguments[4], "rb");
    if (!file || fseek(file, 0, SEEK_END)) fail(arguments[4], "can't be read");
    byte_count = ftell(file);
    rewind(file);
    bytes = malloc(byte_count);
    if (fread(bytes, 1, byte_count, file) != byte_count) fail(arguments[4], "can't be read");
    fclose(file);

    mongoc_init();
    pthread_t threads[threads_max];
    pthread_barrier_init(&connected, NULL, thread_count + 1);
    for (int index = 0; index < thread_count; index++)
        pthread_create(&threads[index], NULL, insert, NULL);
    pthread_barrier_wait(&connected);
    double start = now();
    for (int index = 0; index < thread_count; index++) pthread_join(threads[index], NULL);
    double seconds = now() - start;
    printf("{\"seconds\": %.6f, \"documents\": %zu, \"bytes\": %zu}\n", seconds, document_count,
           byte_count);
    mongoc_cleanup();
    return 0;
}
