/* filter: options -> query, traces -> rows. */
#include "client/cli/filter.h"

#include <stdlib.h>
#include <string.h>

#include "client/cli/table.h"

void filter_init(struct filter *filter, struct cli_option options[FILTER_OPTIONS])
{
    *filter = (struct filter){.query = xtrace_trace_query_init()};
    struct xtrace_trace_query *q = &filter->query;
    const struct cli_option own[FILTER_OPTIONS] = {
        {"--name", CLI_TEXT, &q->name, "NAME", "of that name"},
        {"--user", CLI_TEXT, &q->user_id, "ID", "of that user"},
        {"--session", CLI_TEXT, &q->session_id, "ID", "of that session"},
        {"--version-is", CLI_TEXT, &q->version, "TEXT", "of that version"},
        {"--release", CLI_TEXT, &q->release, "TEXT", "of that release"},
        {"--tag", CLI_TEXTS, &filter->tags, "TAG", "with that tag; given again: with all of them"},
        {"--turn", CLI_TEXT, &q->turn_id, "ID", "with that turn_id in metadata"},
        {"--run", CLI_TEXT, &q->run_id, "ID", "with that run_id in metadata"},
        {"--env", CLI_TEXTS, &filter->environments, "NAME",
         "of that environment; given again: of any of them"},
        {"--from", CLI_TIME, &q->from_us, "TIME",
         "not before: 2026-01-02T03:04:05Z, 2026-01-02, 15m"},
        {"--to", CLI_TIME, &q->to_us, "TIME", "not after"},
    };
    memcpy(options, own, sizeof(own));
}

struct xtrace_trace_query *filter_query(struct filter *filter)
{
    filter->query.tags = filter->tags.values;
    filter->query.tag_count = filter->tags.count;
    filter->query.environments = filter->environments.values;
    filter->query.environment_count = filter->environments.count;
    return &filter->query;
}

static const struct table_column columns[] = {
    {"TIME (UTC)", false, false}, {"NAME", false, true},    {"USER", false, true},
    {"SESSION", false, true},     {"LATENCY", true, false}, {"COST", true, false},
    {"TAGS", false, true},        {"ID", false, false},
};
enum { COLUMNS = sizeof(columns) / sizeof(columns[0]) };

struct table *filter_table(void)
{
    return table_create(columns, COLUMNS);
}

/* "a, b" of ["a","b"]. */
static char *show_tags(struct xtrace_slice tags)
{
    struct xtrace_json_walk walk;
    struct xtrace_slice tag;
    char *text = cli_alloc(tags.len + 1);
    if (xtrace_json_enter(&walk, tags, '[')) {
        while (xtrace_json_next(&walk, NULL, &tag)) {
            char *shown = cli_show(tag);
            size_t len = strlen(text) + strlen(shown) + 3;
            char *longer = cli_alloc(len);
            strcat(strcat(strcat(longer, text), *text != '\0' ? ", " : ""), shown);
            free(text);
            free(shown);
            text = longer;
        }
    }
    return text;
}

void filter_add_row(struct table *table, struct xtrace_slice trace)
{
    char *cells[COLUMNS] = {
        cli_member_time(trace, "timestamp"),
        cli_member(trace, "name"),
        cli_member(trace, "userId"),
        cli_member(trace, "sessionId"),
        cli_member_seconds(trace, "latency"),
        cli_member_cost(trace, "totalCost"),
        show_tags(xtrace_json_find(trace, "tags")),
        cli_member(trace, "id"),
    };
    table_add(table, cells, NULL);
}
