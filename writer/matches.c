#include "writer/matches.h"

#include <stdlib.h>
#include <string.h>

#include "common/arena.h"
#include "common/buf.h"
#include "common/clock.h"
#include "common/log.h"
#include "writer/array.h"

/* A project's patterns have less time than those that came with the program. */
static const char sql_ask[] = "SAVEPOINT prices; SET LOCAL statement_timeout = 5000";
static const char sql_ask_own[] = "SAVEPOINT prices; SET LOCAL statement_timeout = 1000";
static const char sql_asked[] = "ROLLBACK TO SAVEPOINT prices; RELEASE SAVEPOINT prices";

struct matches_failing {
    char project[MATCHES_PROJECT_MAX];
    size_t len;
    int64_t until_ms;
};

void matches_init(struct matches *matches, struct session *session)
{
    *matches = (struct matches){.session = session};
}

void matches_finish(struct matches *matches)
{
    free(matches->_failing);
}

enum err matches_ask(struct matches *matches, const char *sql, bool is_own,
                     const struct match_pair *pairs, uint32_t count, PGresult **result,
                     struct error *error)
{
    struct buf bufs[2] = {BUF_EMPTY, BUF_EMPTY};
    array_begin(&bufs[0], OID_TEXT, count);
    array_begin(&bufs[1], OID_TEXT, count);
    for (uint32_t i = 0; i < count; i++) {
        array_add_slice(&bufs[0], pairs[i].first);
        array_add_slice(&bufs[1], pairs[i].second);
    }
    struct session_parameters parameters = {.values = {buf_slice(&bufs[0]), buf_slice(&bufs[1])},
                                            .count = 2};
    *result = NULL;
    enum err err = session_exec(matches->session, is_own ? sql_ask_own : sql_ask, error);
    if (err == ERR_OK) {
        err = session_query(matches->session, sql, &parameters, result, error);
        if (err == ERR_REFUSED || err == ERR_TIMEOUT) {
            log_event(LOG_WARN, "models not matched", "error", error->text, NULL);
            PQclear(*result);
            *result = NULL;
            err = ERR_OK;
        }
    }
    if (err == ERR_OK) {
        err = session_exec(matches->session, sql_asked, error);
    }
    buf_finish(&bufs[0]);
    buf_finish(&bufs[1]);
    if (err != ERR_OK) {
        PQclear(*result);
        *result = NULL;
    }
    return err;
}

static int compare(const void *a, const void *b)
{
    const struct match_pair *left = a;
    const struct match_pair *right = b;
    int order = slice_compare(left->first, right->first);
    return order != 0 ? order : slice_compare(left->second, right->second);
}

uint32_t matches_sort(struct match_pair *pairs, uint32_t count)
{
    uint32_t kept = 0;
    if (count > 1) {
        qsort(pairs, count, sizeof(*pairs), compare);
    }
    for (uint32_t i = 0; i < count; i++) {
        if (kept == 0 || compare(&pairs[kept - 1], &pairs[i]) != 0) {
            pairs[kept++] = pairs[i];
        }
    }
    return kept;
}

/* ---- projects whose patterns take too long ---- */

bool matches_is_failing(const struct matches *matches, struct slice project)
{
    uint32_t count = matches->_failing_count < MATCHES_FAILING_MAX ? matches->_failing_count
                                                                   : MATCHES_FAILING_MAX;
    for (uint32_t i = 0; i < count; i++) {
        const struct matches_failing *failing = &matches->_failing[i];
        if (slice_equals((struct slice){failing->project, failing->len}, project) &&
            clock_monotonic_ms() < failing->until_ms) {
            return true;
        }
    }
    return false;
}

void matches_note_failing(struct matches *matches, struct slice project)
{
    if (matches->_failing == NULL) {
        matches->_failing = memory_zalloc(MATCHES_FAILING_MAX * sizeof(*matches->_failing));
    }
    struct matches_failing *failing =
        &matches->_failing[matches->_failing_count++ % MATCHES_FAILING_MAX];
    failing->len = project.len < sizeof(failing->project) ? project.len : 0;
    memcpy(failing->project, project.data, failing->len);
    failing->until_ms = clock_monotonic_ms() + MATCHES_RETRY_MS;
}
