/*
 * keys: the subcommands that add, revoke and list the keys of projects. A secret is shown once, when it is
 * made; the table has its SHA-256 alone. The gateways know of a change within about a second. Not thread-safe.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "common/error.h"
#include "common/rfc3339.h"
#include "writer/session.h"

/* What "key add" is asked for; its texts are the caller's. */
struct key_order {
    const char *project;
    const char *scopes; /* with commas between */
    const char *name;
    const char *public_key;     /* NULL: a new one is made */
    char expires[RFC3339_SIZE]; /* "": never */
    bool secret_from_stdin;     /* else a new one is made */
    bool as_json;
};

/* argv: the words behind "key add". now_us: of the clock. ERR_INVALID: they are not as they must be. */
MUST_CHECK enum err key_order_read(int argc, char **argv, int64_t now_us, struct key_order *order,
                                   struct error *error);

/* in: where a secret is read from, one line. out: gets the new key, its secret included. ERR_NOT_FOUND: there is no
 * such project. ERR_CONFLICT: there is such a key. */
MUST_CHECK enum err keys_add(struct session *session, const struct key_order *order, FILE *in,
                             FILE *out, struct error *error);

/* Also good for one that was revoked before. ERR_NOT_FOUND: there is no such key. */
MUST_CHECK enum err keys_revoke(struct session *session, const char *public_key,
                                struct error *error);

/* A line for each key: public key, project, scopes, state, times, name. project NULL: of all. */
MUST_CHECK enum err keys_list(struct session *session, const char *project, bool as_json, FILE *out,
                              struct error *error);
