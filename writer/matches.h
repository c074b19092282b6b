/*
 * matches: asks PostgreSQL which patterns match which texts, as its regexes they are, within a bounded time.
 * Projects whose patterns take longer are not asked for again for a minute. Not thread-safe.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"
#include "writer/session.h"

enum { MATCHES_RETRY_MS = 60000, MATCHES_PROJECT_MAX = 256, MATCHES_FAILING_MAX = 32 };

/* Two texts of one question: a project ("" is built in) and a model, or a regex and a kind. */
struct match_pair {
    struct slice first;
    struct slice second;
};

struct matches_failing;

struct matches {
    struct session *session;          /* borrowed */
    struct matches_failing *_failing; /* a ring */
    uint32_t _failing_count;
};

void matches_init(struct matches *matches, struct session *session);
void matches_finish(struct matches *matches);

/*
 * Inside a transaction, which goes on whatever comes of it. sql takes the pairs as two arrays of texts. is_own: the
 * patterns are a project's, which have less time than those that came with the program. *result NULL: they could
 * not be matched. The caller clears it (PQclear).
 */
MUST_CHECK enum err matches_ask(struct matches *matches, const char *sql, bool is_own,
                                const struct match_pair *pairs, uint32_t count, PGresult **result,
                                struct error *error);

/* Sorts and leaves each once; returns how many are left. */
uint32_t matches_sort(struct match_pair *pairs, uint32_t count);

bool matches_is_failing(const struct matches *matches, struct slice project);
void matches_note_failing(struct matches *matches, struct slice project);
