/*
 * models: a project's own come first, the newest first, then those that are built in (project ''), by name.
 */
#include "gateway/read/models.h"

#include <stddef.h>

#include "gateway/read/read.h"

/* Static SQL is longer than what ISO C promises to take. */
#pragma GCC diagnostic ignored "-Woverlength-strings"

/* clang-format off */

/* As gateway/ingest/decode_model.c writes it. `m` is a row of models, d.prices those of its default tier. */
#define SQL_MODEL                                                                                  \
    "json_build_object('id', m.id, 'modelName', m.model_name, 'matchPattern', m.match_pattern,"    \
    " 'startDate', " READ_SQL_TIME("m.start_date") ", 'unit', m.unit,"                             \
    " 'tokenizerId', m.tokenizer_id, 'tokenizerConfig', m.tokenizer_config,"                       \
    " 'isLangfuseManaged', m.project_id = '', 'createdAt', " READ_SQL_TIME("m.created_at") ","     \
    " 'prices', coalesce((SELECT json_object_agg(p.key, json_build_object('price', p.value))"      \
    "  FROM jsonb_each(d.prices) p), '{}'), 'inputPrice', d.prices -> 'input',"                    \
    " 'outputPrice', d.prices -> 'output', 'totalPrice', d.prices -> 'total',"                     \
    " 'pricingTiers', m.pricing_tiers)"
#define SQL_DEFAULT_TIER                                                                           \
    "LATERAL (SELECT jsonb_path_query_first(m.pricing_tiers,"                                      \
    " '$[*] ? (@.isDefault == true).prices') AS prices) d"
#define SQL_VISIBLE "m.project_id IN ($1, '') AND m.deleted_at IS NULL"
#define SQL_ORDER   "m.project_id = '', CASE WHEN m.project_id <> '' THEN m.created_at END DESC, m.model_name, m.id"

static const char sql_list[] =
    "WITH page AS (SELECT * FROM models m WHERE " SQL_VISIBLE " ORDER BY " SQL_ORDER
    "  LIMIT $2::bigint OFFSET $3::bigint)"
    " SELECT count(*) AS total, NULL::json AS row FROM models m WHERE " SQL_VISIBLE
    " UNION ALL (SELECT NULL, " SQL_MODEL " FROM page m, " SQL_DEFAULT_TIER " ORDER BY " SQL_ORDER ")";

static const char sql_detail[] =
    "SELECT " SQL_MODEL " FROM models m, " SQL_DEFAULT_TIER
    " WHERE " SQL_VISIBLE " AND m.id = $2 ORDER BY " SQL_ORDER " LIMIT 1";
/* clang-format on */

struct list_params {
    int64_t page;
    int64_t limit;
};

static const struct param list_table[] = {
    {"page", PARAM_PAGE, offsetof(struct list_params, page)},
    {"limit", PARAM_LIMIT, offsetof(struct list_params, limit)},
    {NULL, PARAM_TEXT, 0},
};

static enum err list_bind(struct read *read, const void *typed, struct error *error)
{
    const struct list_params *params = typed;

    read->page = params->page;
    read->limit = params->limit;
    read->sql = sql_list;
    read_bind_text(read, read->request->identity.project);
    read_bind_integer(read, params->limit);
    read_bind_offset(read);
    return ERR_OK;
}

static const struct read_resource list_resource = {
    .params = list_table,
    .params_size = sizeof(struct list_params),
    .bind = list_bind,
    .format = &read_page_format,
};

void models_list(struct request *request)
{
    read_run(request, &list_resource);
}

void models_detail(struct request *request)
{
    read_run_static(request, sql_detail, READ_PATH_TEXT, &read_object_format);
}
