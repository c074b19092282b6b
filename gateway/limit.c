#include "gateway/limit.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <czmq.h>

#include "common/arena.h"

/* A full bucket that never ran empty and an absent one are the same, so buckets come and go. */
struct bucket {
    uint8_t key[LIMIT_KEY_SIZE];
    int64_t arrival_ns; /* the theoretical arrival time: before now, the bucket is full */
    uint64_t rejected;
};

struct limit {
    pthread_mutex_t mutex;
    int64_t interval_ns;  /* one token */
    int64_t tolerance_ns; /* how far the arrival time may run ahead: burst - 1 tokens */
    uint64_t allowed;
    uint64_t rejected;
    zhashx_t *buckets;
};

/* Keys are digests: any bytes of them are a good hash. */
static size_t hash_key(const void *key)
{
    size_t hash;
    memcpy(&hash, key, sizeof(hash));
    return hash;
}

static int compare_keys(const void *a, const void *b)
{
    return memcmp(a, b, LIMIT_KEY_SIZE);
}

static void free_bucket(void **bucket)
{
    free(*bucket);
    *bucket = NULL;
}

struct limit *limit_create(int64_t qps, int64_t burst)
{
    if (qps <= 0 || burst <= 0) {
        return NULL;
    }
    struct limit *limit = memory_zalloc(sizeof(*limit));
    pthread_mutex_init(&limit->mutex, NULL);
    limit->interval_ns = 1000000000 / qps;
    limit->tolerance_ns = limit->interval_ns * (burst - 1);
    limit->buckets = zhashx_new();
    zhashx_set_key_hasher(limit->buckets, hash_key);
    zhashx_set_key_comparator(limit->buckets, compare_keys);
    zhashx_set_key_duplicator(limit->buckets, NULL); /* keys lie in the buckets */
    zhashx_set_key_destructor(limit->buckets, NULL);
    zhashx_set_destructor(limit->buckets, free_bucket);
    return limit;
}

void limit_destroy(struct limit *limit)
{
    if (limit != NULL) {
        zhashx_destroy(&limit->buckets);
        pthread_mutex_destroy(&limit->mutex);
        free(limit);
    }
}

static void drop_full_buckets(struct limit *limit, int64_t now_ns)
{
    zlistx_t *full = zlistx_new();
    for (struct bucket *bucket = zhashx_first(limit->buckets); bucket != NULL;
         bucket = zhashx_next(limit->buckets)) {
        if (bucket->arrival_ns <= now_ns && bucket->rejected == 0) {
            zlistx_add_end(full, bucket);
        }
    }
    for (struct bucket *bucket = zlistx_first(full); bucket != NULL; bucket = zlistx_next(full)) {
        zhashx_delete(limit->buckets, bucket->key);
    }
    zlistx_destroy(&full);
}

static struct bucket *find_bucket(struct limit *limit, const uint8_t *key, int64_t now_ns)
{
    struct bucket *bucket = zhashx_lookup(limit->buckets, key);
    if (bucket != NULL) {
        return bucket;
    }
    if (zhashx_size(limit->buckets) >= LIMIT_KEYS_MAX) {
        drop_full_buckets(limit, now_ns);
    }
    if (zhashx_size(limit->buckets) >= LIMIT_KEYS_MAX) {
        zhashx_purge(limit->buckets); /* ten thousand busy credentials: memory comes first */
    }
    bucket = memory_alloc(sizeof(*bucket));
    memcpy(bucket->key, key, LIMIT_KEY_SIZE);
    bucket->arrival_ns = now_ns;
    bucket->rejected = 0;
    zhashx_insert(limit->buckets, bucket->key, bucket);
    return bucket;
}

bool limit_take(struct limit *limit, const uint8_t key[LIMIT_KEY_SIZE], int64_t now_us,
                int64_t *retry_after_s)
{
    if (limit == NULL) {
        return true;
    }
    int64_t now_ns = now_us * 1000;
    pthread_mutex_lock(&limit->mutex);
    struct bucket *bucket = find_bucket(limit, key, now_ns);
    int64_t arrival_ns = bucket->arrival_ns > now_ns ? bucket->arrival_ns : now_ns;
    int64_t wait_ns = arrival_ns - limit->tolerance_ns - now_ns;
    if (wait_ns <= 0) {
        bucket->arrival_ns = arrival_ns + limit->interval_ns;
        limit->allowed++;
    } else {
        bucket->rejected++;
        limit->rejected++;
    }
    pthread_mutex_unlock(&limit->mutex);
    if (wait_ns <= 0) {
        return true;
    }
    *retry_after_s = (wait_ns + 999999999) / 1000000000;
    return false;
}

static void add_top(struct limit_stats *stats, const struct bucket *bucket)
{
    uint32_t place = stats->top_count;
    while (place > 0 && stats->top[place - 1].rejected < bucket->rejected) {
        place--;
    }
    if (bucket->rejected == 0 || place == LIMIT_TOP) {
        return;
    }
    uint32_t last = stats->top_count < LIMIT_TOP ? stats->top_count++ : LIMIT_TOP - 1;
    memmove(&stats->top[place + 1], &stats->top[place], (last - place) * sizeof(stats->top[0]));
    memcpy(stats->top[place].key, bucket->key, LIMIT_KEY_SIZE);
    stats->top[place].rejected = bucket->rejected;
}

void limit_read_stats(struct limit *limit, struct limit_stats *out)
{
    *out = (struct limit_stats){0};
    if (limit == NULL) {
        return;
    }
    pthread_mutex_lock(&limit->mutex);
    out->allowed = limit->allowed;
    out->rejected = limit->rejected;
    for (const struct bucket *bucket = zhashx_first(limit->buckets); bucket != NULL;
         bucket = zhashx_next(limit->buckets)) {
        add_top(out, bucket);
    }
    pthread_mutex_unlock(&limit->mutex);
}
