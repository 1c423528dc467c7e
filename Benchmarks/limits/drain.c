/* The limit of a backup: one cursor after the other over every collection of a database, each
 * document counted and dropped.
 *
 * Usage: drain URI DATABASE [BATCH_SIZE]
 *
 * Without a batch size the server's own batches are used, which are 16 MB: no other was faster.
 * Prints {"seconds", "documents", "bytes"}. The time is that of the loop alone: not of the
 * process's start, of connecting, or of asking for the collections' names.
 */
#include <mongoc/mongoc.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

static void fail(const char *what, const bson_error_t *error) {
    fprintf(stderr, "drain: %s: %s\n", what, error->message);
    exit(1);
}

int main(int count, char **arguments) {
    if (count < 3) {
        fprintf(stderr, "usage: drain URI DATABASE [BATCH_SIZE]\n");
        return 64;
    }
    bson_error_t error;
    mongoc_init();
    mongoc_client_t *client = mongoc_client_new(arguments[1]);
    mongoc_database_t *database = mongoc_client_get_database(client, arguments[2]);
    char **names = mongoc_database_get_collection_names_with_opts(database, NULL, &error);
    if (!names) fail("listCollections", &error);
    bson_t filter = BSON_INITIALIZER;
    bson_t *options = bson_new();
    if (count > 3) BSON_APPEND_INT64(options, "batchSize", atoll(arguments[3]));

    long long documents = 0, bytes = 0;
    const bson_t *document;
    double start = now();
    for (char **name = names; *name; name++) {
        mongoc_collection_t *collection = mongoc_database_get_collection(database, *name);
        mongoc_cursor_t *cursor =
            mongoc_collection_find_with_opts(collection, &filter, options, NULL);
        while (mongoc_cursor_next(cursor, &document)) {
            documents += 1;
            bytes += document->len;
        }
        if (mongoc_cursor_error(cursor, &error)) fail(*name, &error);
        mongoc_cursor_destroy(cursor);
        mongoc_collection_destroy(collection);
    }
    double seconds = now() - start;

    printf("{\"seconds\": %.6f, \"documents\": %lld, \"bytes\": %lld}\n", seconds, documents,
           bytes);
    bson_destroy(options);
    bson_strfreev(names);
    mongoc_database_destroy(database);
    mongoc_client_destroy(client);
    mongoc_cleanup();
    return 0;
}
