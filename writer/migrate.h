/*
 * migrate: migrations/ in order, once, under one advisory lock. The texts are in the binary.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/error.h"

struct session; /* writer/session.h */

struct migration {
    int version;
    const char *name; /* without number and ending */
    const char *sql;
    size_t len;
};

extern const struct migration migrations[];
extern const int migration_count;

enum migrate_mode {
    MIGRATE_CHECK, /* changes nothing: ERR_INVALID when something is to be done */
    MIGRATE_APPLY, /* what is missing */
    MIGRATE_GRANT, /* and the grants, even when nothing was missing */
};

/*
 * ERR_INVALID: nothing that waiting could heal - the schema is behind (MIGRATE_CHECK), newer than
 * this program, was made by a changed migration, or the database is not in UTF-8. Other errors are
 * the database's.
 */
MUST_CHECK enum err migrate_run(struct session *session, enum migrate_mode mode,
                                struct error *error);

/* The project's row, unless it is there. */
MUST_CHECK enum err migrate_add_project(struct session *session, const char *project,
                                        struct error *error);
