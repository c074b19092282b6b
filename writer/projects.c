#include "writer/projects.h"

#include <string.h>

#include "writer/words.h"

enum { PROJECT_ID_MAX = 255, PROJECT_NAME_MAX = 1000 };

static const char sql_add[] = "INSERT INTO projects (id, name) VALUES ($1::text, $2::text) ON "
                              "CONFLICT DO NOTHING RETURNING id";
static const char sql_list[] =
    "SELECT concat_ws(E'\\t', p.id, p.name, to_char(p.created_at AT TIME ZONE 'UTC',"
    " 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), count(k.public_key))"
    " FROM projects p LEFT JOIN api_keys k ON k.project_id = p.id AND k.revoked_at IS NULL"
    " AND (k.expires_at IS NULL OR k.expires_at > now()) GROUP BY p.id ORDER BY p.id";
static const char sql_has[] = "SELECT FROM projects WHERE id = $1::text";

/* Lists have a project a line and tabs between: neither may be part of a name. */
static bool is_plain(const char *text, size_t max)
{
    size_t len = strlen(text);
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)text[i] < ' ' || text[i] == 0x7f) {
            return false;
        }
    }
    return len >= 1 && len <= max;
}

enum err project_order_read(int argc, char **argv, struct project_order *order, struct error *error)
{
    *order = (struct project_order){.id = NULL};
    const struct word_option options[] = {{"--name", &order->name, NULL}, {.name = NULL}};
    enum err err = words_read(argc, argv, options, &order->id, 1, error);
    if (err != ERR_OK) {
        return err;
    }
    if (!is_plain(order->id, PROJECT_ID_MAX)) {
        return error_set(error, ERR_INVALID,
                         "a project's id has 1 to %d bytes and no control characters",
                         PROJECT_ID_MAX);
    }
    if (order->name != NULL && !is_plain(order->name, PROJECT_NAME_MAX)) {
        return error_set(error, ERR_INVALID,
                         "a project's name has 1 to %d bytes and no control characters",
                         PROJECT_NAME_MAX);
    }
    return ERR_OK;
}

enum err projects_add(struct session *session, const struct project_order *order,
                      struct error *error)
{
    const char *name = order->name != NULL ? order->name : order->id;
    struct session_parameters parameters = {.values = {slice_from(order->id), slice_from(name)},
                                            .count = 2};
    PGresult *result = NULL;
    enum err err = session_query(session, sql_add, &parameters, &result, error);
    if (err == ERR_OK && PQntuples(result) == 0) {
        err = error_set(error, ERR_CONFLICT, "there is a project '%s' already", order->id);
    }
    PQclear(result);
    return err;
}

enum err projects_list(struct session *session, FILE *out, struct error *error)
{
    PGresult *result = NULL;
    enum err err = session_query(session, sql_list, NULL, &result, error);
    for (int row = 0; err == ERR_OK && row < PQntuples(result); row++) {
        fprintf(out, "%.*s\n", PQgetlength(result, row, 0), PQgetvalue(result, row, 0));
    }
    PQclear(result);
    return err;
}

enum err projects_check(struct session *session, const char *project, struct error *error)
{
    struct session_parameters parameters = {.values = {slice_from(project)}, .count = 1};
    PGresult *result = NULL;
    enum err err = session_query(session, sql_has, &parameters, &result, error);
    if (err == ERR_OK && PQntuples(result) == 0) {
        err = error_set(error, ERR_NOT_FOUND, "there is no project '%s'", project);
    }
    PQclear(result);
    return err;
}
