/*
 * db_cancel: PQcancel on a thread of its own.
 */
#include "gateway/read/db_cancel.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "common/arena.h"

enum { UNDER_WAY_MAX = 32, STACK_SIZE = 128 * 1024 };

struct db_cancel {
    PGcancel *pg;
    atomic_int references; /* the loop's and the thread's */
    atomic_bool is_done;
};

static atomic_int under_way; /* threads of the whole program: a server that hangs must not gather
                                them without end */

void db_cancel_release(struct db_cancel *cancel)
{
    if (cancel != NULL && atomic_fetch_sub(&cancel->references, 1) == 1) {
        PQfreeCancel(cancel->pg);
        free(cancel);
    }
}

static void *run(void *argument)
{
    struct db_cancel *cancel = argument;
    char text[256];

    PQcancel(cancel->pg, text, sizeof text); /* if it fails, the statement times out by itself */
    atomic_store(&cancel->is_done, true);
    db_cancel_release(cancel);
    atomic_fetch_sub(&under_way, 1);
    return NULL;
}

static bool start_thread(struct db_cancel *cancel)
{
    pthread_attr_t attributes;
    pthread_t thread;

    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, STACK_SIZE);
    int failed = pthread_create(&thread, &attributes, run, cancel);
    pthread_attr_destroy(&attributes);
    return failed == 0;
}

struct db_cancel *db_cancel_start(PGconn *pg)
{
    if (atomic_fetch_add(&under_way, 1) >= UNDER_WAY_MAX) {
        atomic_fetch_sub(&under_way, 1);
        return NULL;
    }
    struct db_cancel *cancel = memory_zalloc(sizeof *cancel);
    cancel->pg = PQgetCancel(pg);
    atomic_init(&cancel->references, 2);
    if (cancel->pg == NULL || !start_thread(cancel)) {
        PQfreeCancel(cancel->pg);
        free(cancel);
        atomic_fetch_sub(&under_way, 1);
        return NULL;
    }
    return cancel;
}

bool db_cancel_is_done(const struct db_cancel *cancel)
{
    return cancel == NULL || atomic_load(&cancel->is_done);
}
