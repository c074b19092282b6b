#include "gateway/writers.h"

#include <stdlib.h>
#include <string.h>

#include <czmq.h>

#include "common/arena.h"

enum { WRITERS_MAX = 1024 };

struct writers {
    zhashx_t *heard_ms; /* id -> int64_t */
};

/* Ids are random bytes: any of them are a good hash. */
static size_t hash_id(const void *id)
{
    size_t hash;
    memcpy(&hash, id, sizeof(hash));
    return hash;
}

static int compare_ids(const void *a, const void *b)
{
    return memcmp(a, b, ID_SIZE);
}

static void *copy_id(const void *id)
{
    return memcpy(memory_alloc(ID_SIZE), id, ID_SIZE);
}

static void free_item(void **item)
{
    free(*item);
    *item = NULL;
}

struct writers *writers_create(void)
{
    struct writers *writers = memory_alloc(sizeof(*writers));
    writers->heard_ms = zhashx_new();
    zhashx_set_key_hasher(writers->heard_ms, hash_id);
    zhashx_set_key_comparator(writers->heard_ms, compare_ids);
    zhashx_set_key_duplicator(writers->heard_ms, copy_id);
    zhashx_set_key_destructor(writers->heard_ms, free_item);
    zhashx_set_destructor(writers->heard_ms, free_item);
    return writers;
}

void writers_destroy(struct writers *writers)
{
    if (writers != NULL) {
        zhashx_destroy(&writers->heard_ms);
        free(writers);
    }
}

static void forget_silent(struct writers *writers, int64_t now_ms)
{
    /* A table must not change under its cursor: gather first. */
    zlistx_t *silent = zlistx_new();
    for (const int64_t *heard_ms = zhashx_first(writers->heard_ms); heard_ms != NULL;
         heard_ms = zhashx_next(writers->heard_ms)) {
        if (now_ms - *heard_ms > WRITERS_SILENT_MS) {
            zlistx_add_end(silent, (void *)zhashx_cursor(writers->heard_ms));
        }
    }
    for (void *id = zlistx_first(silent); id != NULL; id = zlistx_next(silent)) {
        zhashx_delete(writers->heard_ms, id);
    }
    zlistx_destroy(&silent);
    if (zhashx_size(writers->heard_ms) >= WRITERS_MAX) {
        zhashx_purge(writers->heard_ms);
    }
}

bool writers_hear(struct writers *writers, const uint8_t id[ID_SIZE], int64_t now_ms)
{
    int64_t *heard_ms = zhashx_lookup(writers->heard_ms, id);
    if (heard_ms != NULL && now_ms - *heard_ms <= WRITERS_SILENT_MS) {
        *heard_ms = now_ms;
        return false;
    }
    forget_silent(writers, now_ms);
    heard_ms = memory_alloc(sizeof(*heard_ms));
    *heard_ms = now_ms;
    zhashx_insert(writers->heard_ms, id, heard_ms);
    return true;
}
