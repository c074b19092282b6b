/*
 * access: who may do what, and what is kept of each project: one snapshot of the settings and of the
 * tables api_keys and capture, replaced as a whole when they change (gateway/refresh.h). Any thread; loops
 * read without waiting, each through a view of its own.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "gateway/auth.h"
#include "gateway/ingest/captures.h"

struct access;

/* Never changed once it is published. */
struct access_snapshot {
    struct auth *auth;
    struct captures *captures;
    bool
        is_loaded; /* the tables were read; else it is the settings alone, and nothing may be stored yet */
    _Atomic(uint32_t) _references;
};

/* What one thread last saw; zero at first. */
struct access_view {
    struct access_snapshot *_snapshot;
    uint64_t _serial;
};

/* Begins with the settings alone. ERR_INVALID names the setting that is wrong. */
MUST_CHECK enum err access_create(struct access **out, const struct config *config,
                                  struct error *error);
/* All views are finished by then. NULL is fine. */
void access_destroy(struct access *access);

/* Replaces what there was, from here on for every look. */
MUST_CHECK enum err access_publish(struct access *access, const struct auth_key *keys,
                                   size_t key_count, const struct captures_row *rows,
                                   size_t row_count, struct error *error);

/* The newest; it stays as long as the view does not look again. */
const struct access_snapshot *access_look(struct access *access, struct access_view *view);
void access_view_finish(struct access_view *view);

/* Whether the tables were ever read. */
bool access_is_loaded(struct access *access);
