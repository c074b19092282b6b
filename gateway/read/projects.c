/*
 * projects: the credential's project, which clients ask for to check their credentials.
 */
#include "gateway/read/projects.h"

#include "gateway/read/read.h"

/* clang-format off */

/*
 * A project that nothing was written to yet has no row. There are no organizations: all projects are
 * of one. retentionDays is missing where the writers' settings decide, as Langfuse leaves it out.
 */
static const char sql_projects[] =
    "SELECT json_build_object('id', mine.id, 'name', coalesce(p.name, mine.id),"
    " 'organization', json_build_object('id', 'xtrace', 'name', 'xtrace'),"
    " 'metadata', coalesce(p.metadata, '{}'),"
    " 'createdAt', " READ_SQL_TIME("coalesce(p.created_at, now())") ","
    " 'updatedAt', " READ_SQL_TIME("coalesce(p.updated_at, now())") "), r.days"
    " FROM (SELECT $1::text AS id) mine LEFT JOIN projects p ON p.id = mine.id"
    " LEFT JOIN retention r ON r.project_id = mine.id AND r.kind = 'traces'";

/* clang-format on */

static void on_row(void *context, struct buf *out, const PGresult *row)
{
    buf_append_text(out, "{\"data\":[");
    /* The object, left open. */
    buf_append(out, PQgetvalue(row, 0, 0), (size_t)PQgetlength(row, 0, 0) - 1);
    if (!PQgetisnull(row, 0, 1)) {
        buf_printf(out, ",\"retentionDays\":%s", PQgetvalue(row, 0, 1));
    }
    buf_append_char(out, '}');
}

static enum err on_end(void *context, struct buf *out, struct error *error)
{
    buf_append_text(out, "]}");
    return ERR_OK;
}

static const struct stream_format format = {on_row, on_end};

void projects_list(struct request *request)
{
    read_run_static(request, sql_projects, READ_NO_PATH, &format);
}
