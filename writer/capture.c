#include "writer/capture.h"

#include <string.h>

#include "common/capture_mode.h"
#include "common/redact.h"
#include "writer/projects.h"

enum { RULES_MAX = 16384 }; /* bytes of keys, and of patterns */

static const char sql_list[] = "SELECT concat_ws(E'\\t', p.id, coalesce(c.mode, 'default'), "
                               "coalesce(c.redact_keys, 'default'),"
                               " coalesce(c.redact_patterns, 'default'))"
                               " FROM projects p LEFT JOIN capture c ON c.project_id = p.id"
                               " WHERE p.id = $1::text OR $1::text IS NULL ORDER BY p.id";

/* One for each thing that can be set: rows and columns that nobody names stay as they are. */
#define SQL_SET(column)                                                                            \
    "INSERT INTO capture (project_id, " column ") VALUES ($1::text, $2::text)"                     \
    " ON CONFLICT (project_id) DO UPDATE SET " column " = excluded." column
static const char sql_set_mode[] = SQL_SET("mode");
static const char sql_set_keys[] = SQL_SET("redact_keys");
static const char sql_set_patterns[] = SQL_SET("redact_patterns");

enum err capture_list(struct session *session, const char *project, FILE *out, struct error *error)
{
    struct session_parameters parameters = {.values = {slice_from(project)}, .count = 1};
    PGresult *result = NULL;
    enum err err = project != NULL ? projects_check(session, project, error) : ERR_OK;
    if (err == ERR_OK) {
        err = session_query(session, sql_list, &parameters, &result, error);
    }
    for (int row = 0; err == ERR_OK && row < PQntuples(result); row++) {
        fprintf(out, "%.*s\n", PQgetlength(result, row, 0), PQgetvalue(result, row, 0));
    }
    PQclear(result);
    return err;
}

static enum err check_rules(const char *value, struct error *error)
{
    if (strlen(value) > RULES_MAX) {
        return error_set(error, ERR_INVALID, "more than %d bytes", RULES_MAX);
    }
    for (const char *c = value; *c != '\0'; c++) {
        if (*c == '\t' || *c == '\n' || *c == '\r') {
            return error_set(error, ERR_INVALID, "tabs and line breaks cannot be part of it");
        }
    }
    return ERR_OK;
}

/* The gateways would not take a pattern that does not compile, and refuse all that the project sends. */
static enum err check_patterns(const char *patterns, struct error *error)
{
    struct redact_options options = {.patterns = patterns};
    struct redact *redact;
    enum err err = redact_create(&redact, &options, error);
    redact_destroy(redact);
    return err;
}

/* *value becomes the word that the table has, *sql what puts it there. */
static enum err check_value(const char *what, const char **value, const char **sql,
                            struct error *error)
{
    bool unset = strcmp(*value, "default") == 0;
    enum capture_mode mode = CAPTURE_FULL;
    enum err err = ERR_OK;
    if (strcmp(what, "mode") == 0) {
        *sql = sql_set_mode;
        if (!unset && !capture_mode_parse(*value, &mode)) {
            return error_set(
                error, ERR_INVALID,
                "'%s' is no mode (full, metadata_only, error_only, masked, or default)", *value);
        }
        *value = capture_mode_word(mode);
    } else if (strcmp(what, "keys") == 0) {
        *sql = sql_set_keys;
        err = check_rules(*value, error);
    } else if (strcmp(what, "patterns") == 0) {
        *sql = sql_set_patterns;
        err = check_rules(*value, error);
        if (err == ERR_OK && !unset) {
            err = check_patterns(*value, error);
        }
    } else {
        err = error_set(error, ERR_INVALID, "'%s' is neither mode nor keys nor patterns", what);
    }
    *value = unset ? NULL : *value;
    return err;
}

enum err capture_set(struct session *session, const char *project, const char *what,
                     const char *value, struct error *error)
{
    const char *sql = NULL;
    enum err err = check_value(what, &value, &sql, error);
    if (err == ERR_OK) {
        err = projects_check(session, project, error);
    }
    if (err != ERR_OK) {
        return err;
    }
    struct session_parameters parameters = {.values = {slice_from(project), slice_from(value)},
                                            .count = 2};
    return session_query(session, sql, &parameters, NULL, error);
}
