#include "writer/retention.h"

#include <stdlib.h>
#include <string.h>

#include "writer/projects.h"

static const char sql_list[] =
    "SELECT p.id, k.kind, coalesce(r.days::text, 'default')"
    " FROM projects p CROSS JOIN (VALUES ('traces'), ('metrics')) AS k(kind)"
    " LEFT JOIN retention r ON r.project_id = p.id AND r.kind = k.kind ORDER BY p.id, k.kind DESC";
static const char sql_set[] =
    "INSERT INTO retention (project_id, kind, days) VALUES ($1::text, $2::text, ($3::text)::int)"
    " ON CONFLICT (project_id, kind) DO UPDATE SET days = excluded.days";
static const char sql_unset[] =
    "DELETE FROM retention WHERE project_id = $1::text AND kind = $2::text";

enum { DAYS_MAX = 36500 };

enum err retention_list(struct session *session, FILE *out, struct error *error)
{
    PGresult *result = NULL;
    enum err err = session_query(session, sql_list, NULL, &result, error);
    for (int row = 0; err == ERR_OK && row < PQntuples(result); row++) {
        for (int column = 0; column < 3; column++) {
            fprintf(out, "%s%.*s", column > 0 ? "\t" : "", PQgetlength(result, row, column),
                    PQgetvalue(result, row, column));
        }
        fputc('\n', out);
    }
    PQclear(result);
    return err;
}

static bool is_days(const char *text)
{
    char *end;
    long days = strtol(text, &end, 10);
    return *text >= '0' && *text <= '9' && *end == '\0' && days <= DAYS_MAX;
}

enum err retention_set(struct session *session, const char *project, const char *kind,
                       const char *days, struct error *error)
{
    bool unset = strcmp(days, "default") == 0;
    if (strcmp(kind, "traces") != 0 && strcmp(kind, "metrics") != 0) {
        return error_set(error, ERR_INVALID, "'%s' is neither traces nor metrics", kind);
    }
    if (!unset && !is_days(days)) {
        return error_set(error, ERR_INVALID, "'%s' is no number of days (0 to %d, or default)",
                         days, DAYS_MAX);
    }
    enum err err = projects_check(session, project, error);
    if (err != ERR_OK) {
        return err;
    }
    struct session_parameters parameters = {
        .values = {slice_from(project), slice_from(kind), slice_from(days)},
        .count = unset ? 2 : 3};
    return session_query(session, unset ? sql_unset : sql_set, &parameters, NULL, error);
}
