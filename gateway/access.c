#include "gateway/access.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "common/arena.h"

struct access {
    const struct config *config;
    _Atomic(uint64_t) serial; /* of the newest: whoever has seen it takes no lock */
    pthread_mutex_t lock;     /* of what follows */
    struct access_snapshot *newest;
};

static void release(struct access_snapshot *snapshot)
{
    if (snapshot != NULL && atomic_fetch_sub(&snapshot->_references, 1) == 1) {
        auth_destroy(snapshot->auth);
        captures_destroy(snapshot->captures);
        free(snapshot);
    }
}

static enum err make_snapshot(struct access_snapshot **out, const struct config *config,
                              const struct auth_key *keys, size_t key_count,
                              const struct captures_row *rows, size_t row_count, bool is_loaded,
                              struct error *error)
{
    struct captures *captures;
    enum err err = captures_create(&captures, config, rows, row_count, error);
    if (err != ERR_OK) {
        error_context(error, "XTRACE_REDACT_PATTERNS");
        return err;
    }
    *out = memory_zalloc(sizeof(**out));
    (*out)->captures = captures;
    (*out)->auth = auth_create(config, keys, key_count);
    (*out)->is_loaded = is_loaded;
    (*out)->_references = 1;
    return ERR_OK;
}

enum err access_create(struct access **out, const struct config *config, struct error *error)
{
    struct access_snapshot *first;
    *out = NULL;
    enum err err = make_snapshot(&first, config, NULL, 0, NULL, 0, false, error);
    if (err == ERR_OK) {
        struct access *access = memory_zalloc(sizeof(*access));
        access->config = config;
        access->serial = 1;
        access->newest = first;
        pthread_mutex_init(&access->lock, NULL);
        *out = access;
    }
    return err;
}

void access_destroy(struct access *access)
{
    if (access != NULL) {
        release(access->newest);
        pthread_mutex_destroy(&access->lock);
        free(access);
    }
}

enum err access_publish(struct access *access, const struct auth_key *keys, size_t key_count,
                        const struct captures_row *rows, size_t row_count, struct error *error)
{
    struct access_snapshot *snapshot;
    enum err err =
        make_snapshot(&snapshot, access->config, keys, key_count, rows, row_count, true, error);
    if (err != ERR_OK) {
        return err;
    }
    pthread_mutex_lock(&access->lock);
    struct access_snapshot *old = access->newest;
    access->newest = snapshot;
    atomic_fetch_add(&access->serial, 1);
    pthread_mutex_unlock(&access->lock);
    release(old);
    return ERR_OK;
}

const struct access_snapshot *access_look(struct access *access, struct access_view *view)
{
    if (atomic_load_explicit(&access->serial, memory_order_acquire) == view->_serial) {
        return view->_snapshot;
    }
    pthread_mutex_lock(&access->lock);
    struct access_snapshot *old = view->_snapshot;
    view->_snapshot = access->newest;
    view->_serial = atomic_load(&access->serial);
    atomic_fetch_add(&view->_snapshot->_references, 1);
    pthread_mutex_unlock(&access->lock);
    release(old);
    return view->_snapshot;
}

void access_view_finish(struct access_view *view)
{
    release(view->_snapshot);
    *view = (struct access_view){NULL, 0};
}

bool access_is_loaded(struct access *access)
{
    pthread_mutex_lock(&access->lock);
    bool is_loaded = access->newest->is_loaded;
    pthread_mutex_unlock(&access->lock);
    return is_loaded;
}
