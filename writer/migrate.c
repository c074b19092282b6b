#include "writer/migrate.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <endian.h>
#include <libpq-fe.h>

#include "common/buf.h"
#include "common/log.h"
#include "common/slice.h"
#include "writer/session.h"

/* The lock's key is arbitrary but fixed: "xtrace" in ASCII. */
static const char sql_lock[] = "SET statement_timeout = 0; SET lock_timeout = 0;"
                               "SELECT pg_advisory_lock(132347298702181)";

static const char sql_encoding[] = "SELECT current_setting('server_encoding')";
static const char sql_has_table[] = "SELECT to_regclass('schema_migrations') IS NOT NULL";
static const char sql_create_table[] =
    "CREATE TABLE IF NOT EXISTS schema_migrations (version integer PRIMARY KEY, name text NOT NULL,"
    " checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())";
static const char sql_newest[] = "SELECT coalesce(max(version), 0)::text FROM schema_migrations";
/* NULL: not applied; else whether it is the same text. */
static const char sql_is_same[] =
    "SELECT (SELECT checksum = encode(sha256($2::bytea), 'hex') FROM schema_migrations"
    " WHERE version = $1::int)";
static const char sql_record[] = "INSERT INTO schema_migrations (version, name, checksum)"
                                 " VALUES ($1::int, $2::text, encode(sha256($3::bytea), 'hex'))";

static const char sql_grant[] =
    "DO $$"
    "BEGIN"
    " IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'xtrace_gateway') THEN"
    "  GRANT USAGE ON SCHEMA public, xtrace TO xtrace_gateway;"
    "  GRANT SELECT ON ALL TABLES IN SCHEMA public, xtrace TO xtrace_gateway;"
    "  ALTER DEFAULT PRIVILEGES IN SCHEMA public, xtrace GRANT SELECT ON TABLES TO xtrace_gateway;"
    " END IF;"
    " IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'xtrace_writer') THEN"
    "  GRANT USAGE ON SCHEMA public, xtrace TO xtrace_writer;"
    "  GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO xtrace_writer;"
    "  GRANT SELECT ON ALL TABLES IN SCHEMA xtrace TO xtrace_writer;"
    "  REVOKE INSERT, UPDATE, DELETE ON schema_migrations FROM xtrace_writer;"
    "  GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO xtrace_writer;"
    "  ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES"
    "   TO xtrace_writer;"
    "  ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE ON SEQUENCES TO xtrace_writer;"
    "  GRANT EXECUTE ON FUNCTION xtrace_make_metric_days(date[]),"
    "   xtrace_drop_metric_partition(integer) TO xtrace_writer;"
    " END IF;"
    "END $$";

static const char sql_add_project[] =
    "INSERT INTO projects (id, name) VALUES ($1::text, $1::text) ON CONFLICT DO NOTHING";

/* The one value of a one-row answer as the caller's text; "" for NULL. */
static enum err query_text(struct session *session, const char *sql,
                           const struct session_parameters *parameters, char out[64],
                           struct error *error)
{
    PGresult *result = NULL;
    enum err err = session_query(session, sql, parameters, &result, error);
    out[0] = '\0';
    if (err == ERR_OK && PQntuples(result) == 1 && PQgetisnull(result, 0, 0) == 0) {
        size_t length = (size_t)PQgetlength(result, 0, 0);
        if (length > 63) {
            length = 63;
        }
        memcpy(out, PQgetvalue(result, 0, 0), length);
        out[length] = '\0';
    }
    PQclear(result);
    return err;
}

/* *out: 1 true, 0 false, -1 NULL. */
static enum err query_bool(struct session *session, const char *sql,
                           const struct session_parameters *parameters, int *out,
                           struct error *error)
{
    PGresult *result = NULL;
    enum err err = session_query(session, sql, parameters, &result, error);
    *out = -1;
    if (err == ERR_OK && PQntuples(result) == 1 && PQgetisnull(result, 0, 0) == 0) {
        *out = PQgetvalue(result, 0, 0)[0] != 0;
    }
    PQclear(result);
    return err;
}

static enum err check_encoding(struct session *session, struct error *error)
{
    char encoding[64];
    enum err err = query_text(session, sql_encoding, NULL, encoding, error);
    if (err == ERR_OK && strcmp(encoding, "UTF8") != 0) {
        return error_set(error, ERR_INVALID,
                         "the database's encoding is %s; xtrace needs UTF8 (createdb -E UTF8 -T "
                         "template0)",
                         encoding);
    }
    return err;
}

/* *newest: 0 when nothing was ever applied. */
static enum err read_newest(struct session *session, int *newest, struct error *error)
{
    *newest = 0;
    int has_table = 0;
    enum err err = query_bool(session, sql_has_table, NULL, &has_table, error);
    if (err != ERR_OK || has_table != 1) {
        return err;
    }
    char version[64];
    err = query_text(session, sql_newest, NULL, version, error);
    if (err == ERR_OK) {
        *newest = atoi(version);
    }
    if (err == ERR_OK && *newest > migration_count) {
        return error_set(error, ERR_INVALID,
                         "the database is at version %d, newer than this program (%d): install "
                         "the newer one",
                         *newest, migration_count);
    }
    return err;
}

static enum err check_checksum(struct session *session, const struct migration *migration,
                               struct error *error)
{
    uint32_t version = htobe32((uint32_t)migration->version);
    struct session_parameters parameters = {
        .values = {{(const char *)&version, sizeof(version)}, {migration->sql, migration->len}},
        .count = 2};
    int same = -1;
    enum err err = query_bool(session, sql_is_same, &parameters, &same, error);
    if (err == ERR_OK && same != 1) {
        return error_set(error, ERR_INVALID,
                         "migration %04d_%s %s: the database was made by another program",
                         migration->version, migration->name,
                         same == 0 ? "has changed since it was applied" : "was skipped");
    }
    return err;
}

static enum err check_checksums(struct session *session, int newest, struct error *error)
{
    enum err err = ERR_OK;
    for (int i = 0; i < newest && err == ERR_OK; i++) {
        err = check_checksum(session, &migrations[i], error);
    }
    return err;
}

static enum err apply_one(struct session *session, const struct migration *migration,
                          struct error *error)
{
    enum err err = session_exec(session, "BEGIN", error);
    if (err == ERR_OK) {
        err = session_exec(session, migration->sql, error);
    }
    if (err == ERR_OK) {
        uint32_t version = htobe32((uint32_t)migration->version);
        struct session_parameters parameters = {
            .values = {{(const char *)&version, sizeof(version)},
                       slice_from(migration->name),
                       {migration->sql, migration->len}},
            .count = 3};
        err = session_query(session, sql_record, &parameters, NULL, error);
    }
    if (err == ERR_OK) {
        err = session_commit(session, error);
    }
    if (err != ERR_OK) {
        error_context(error, "migration %04d_%s", migration->version, migration->name);
        session_rollback(session);
        return err;
    }
    log_event(LOG_INFO, "migrated", "version", log_text("%d", migration->version), "name",
              migration->name, NULL);
    return ERR_OK;
}

/* Under the lock: another program may have been faster. */
static enum err apply_missing(struct session *session, enum migrate_mode mode, struct error *error)
{
    enum err err = session_exec(session, sql_create_table, error);
    int newest = 0;
    if (err == ERR_OK) {
        err = read_newest(session, &newest, error);
    }
    if (err == ERR_OK) {
        err = check_checksums(session, newest, error);
    }
    bool is_current = newest == migration_count;
    for (int i = newest; i < migration_count && err == ERR_OK; i++) {
        err = apply_one(session, &migrations[i], error);
    }
    if (err == ERR_OK && (!is_current || mode == MIGRATE_GRANT)) {
        err = session_exec(session, sql_grant, error);
    }
    return err;
}

enum err migrate_run(struct session *session, enum migrate_mode mode, struct error *error)
{
    int newest = 0;
    enum err err = check_encoding(session, error);
    if (err == ERR_OK) {
        err = read_newest(session, &newest, error);
    }
    if (err == ERR_OK) {
        err = check_checksums(session, newest, error);
    }
    if (err != ERR_OK || (newest == migration_count && mode != MIGRATE_GRANT)) {
        return err;
    }
    if (mode == MIGRATE_CHECK) {
        return error_set(error, ERR_INVALID,
                         "the database is at version %d of %d: run xtrace-writer migrate", newest,
                         migration_count);
    }
    int64_t timeout_ms = session->options.statement_timeout_ms;
    session->options.statement_timeout_ms = INT64_C(24) * 3600 * 1000; /* waits for the others */
    err = session_exec(session, sql_lock, error);
    if (err == ERR_OK) {
        err = apply_missing(session, mode, error);
    }
    /* The lock and the timeouts go with the session. */
    session_close(session);
    session->options.statement_timeout_ms = timeout_ms;
    return err == ERR_OK ? session_open(session, error) : err;
}

enum err migrate_add_project(struct session *session, const char *project, struct error *error)
{
    struct session_parameters parameters = {.values = {slice_from(project)}, .count = 1};
    return session_query(session, sql_add_project, &parameters, NULL, error);
}
