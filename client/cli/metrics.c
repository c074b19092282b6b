/* metrics: metrics names, metrics query NAME, daily, health. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/cli/cli.h"
#include "client/cli/table.h"

static void print_names(const struct cli *cli, struct xtrace_slice body)
{
    struct xtrace_json_walk walk;
    struct xtrace_slice name;
    (void)cli;
    if (xtrace_json_enter(&walk, xtrace_json_find(body, "data"), '[')) {
        while (xtrace_json_next(&walk, NULL, &name)) {
            char *shown = cli_show(name);
            puts(shown);
            free(shown);
        }
    }
}

static int names(struct cli *cli, int argc, char **argv)
{
    struct cli_usage usage = {
        .command = "metrics names", .arguments = "", .help = "The names of all metrics."};
    cli_parse(cli, &usage, argc, argv);
    cli_connect(cli);
    struct xtrace_response *response;
    enum xtrace_status status = xtrace_metric_names(cli->client, NULL, &response);
    return cli_finish(cli, status, response,
                      "this server has no metrics (GET /api/public/metrics/names)", print_names);
}

/* ---- metrics query --------------------------------------------------------------------------- */

static const struct table_column point_columns[] = {
    {"TIME (UTC)", false, false}, {"VALUE", true, false}, {"LABELS", false, true}};

static void add_series(struct table *table, struct xtrace_slice series)
{
    struct xtrace_json_walk walk;
    struct xtrace_slice point;
    if (!xtrace_json_enter(&walk, xtrace_json_find(series, "values"), '[')) {
        return;
    }
    while (xtrace_json_next(&walk, NULL, &point)) {
        char *cells[] = {cli_member_time(point, "timestamp"), cli_member(point, "value"),
                         cli_member(series, "labels")};
        table_add(table, cells, NULL);
    }
}

static void print_series(const struct cli *cli, struct xtrace_slice body)
{
    struct table *table = table_create(point_columns, 3);
    struct xtrace_json_walk walk;
    struct xtrace_slice series;
    if (xtrace_json_enter(&walk, xtrace_json_find(body, "data"), '[')) {
        while (xtrace_json_next(&walk, NULL, &series)) {
            add_series(table, series);
        }
    }
    table_finish(table, cli);
    struct xtrace_slice meta = xtrace_json_find(body, "meta");
    struct xtrace_slice truncated = xtrace_json_find(meta, "truncated");
    if (truncated.data != NULL && xtrace_slice_is(truncated, "true")) {
        fprintf(stderr, "cut off: not all series or points are shown\n");
    }
}

/* "key=value" words become the labels. */
static size_t read_labels(const struct cli_list *words, struct xtrace_label *labels)
{
    for (size_t i = 0; i < words->count; i++) {
        char *key = strdup(words->values[i]);
        char *equals = key != NULL ? strchr(key, '=') : NULL;
        if (equals == NULL) {
            cli_die(CLI_USAGE, "--label %s: KEY=VALUE is wanted", words->values[i]);
        }
        *equals = '\0';
        labels[i] = (struct xtrace_label){key, equals + 1};
    }
    return words->count;
}

static int query(struct cli *cli, int argc, char **argv)
{
    struct xtrace_metric_query query = xtrace_metric_query_init();
    struct xtrace_label labels[CLI_LIST_MAX];
    struct cli_list words = {.count = 0};
    const struct cli_option options[] = {
        {"--label", CLI_TEXTS, &words, "KEY=VALUE", "of series with that label; given again: all"},
        {"--step", CLI_TEXT, &query.step, "STEP", "1m, 5m, 1h or 1d [1m]"},
        {"--agg", CLI_TEXT, &query.agg, "HOW", "avg, max, min, sum, last, p50, p90, p99 [avg]"},
        {"--group-by", CLI_TEXT, &query.group_by, "KEY", "one series for each value of that label"},
        {"--from", CLI_TIME, &query.from_us, "TIME", "not before [1h]"},
        {"--to", CLI_TIME, &query.to_us, "TIME", "not after [now]"},
    };
    struct cli_usage usage = {.command = "metrics query",
                              .arguments = "NAME",
                              .help = "Points of one metric.",
                              .options = options,
                              .option_count = 6,
                              .least = 1,
                              .most = 1};
    cli_parse(cli, &usage, argc, argv);
    query.name = argv[0];
    query.labels = labels;
    query.label_count = read_labels(&words, labels);
    cli_connect(cli);
    struct xtrace_response *response;
    enum xtrace_status status = xtrace_query_metrics(cli->client, &query, NULL, &response);
    for (size_t i = 0; i < query.label_count; i++) {
        free((char *)labels[i].key);
    }
    return cli_finish(cli, status, response,
                      "this server has no metrics (GET /api/public/metrics/query)", print_series);
}

int cli_metrics(struct cli *cli, int argc, char **argv)
{
    const char *command = argc > 0 ? argv[0] : "";
    if (strcmp(command, "names") == 0) {
        return names(cli, argc - 1, argv + 1);
    }
    if (strcmp(command, "query") == 0) {
        return query(cli, argc - 1, argv + 1);
    }
    bool is_help = strcmp(command, "--help") == 0 || strcmp(command, "-h") == 0;
    if (!is_help && *command != '\0') {
        fprintf(stderr, "xtrace: metrics %s: names or query is wanted\n", command);
    }
    fprintf(is_help ? stdout : stderr, "usage: xtrace metrics names [OPTION...]\n"
                                       "       xtrace metrics query NAME [OPTION...]\n\n"
                                       "xtrace metrics query --help lists the options.\n");
    return is_help ? CLI_OK : CLI_USAGE;
}

/* ---- daily ----------------------------------------------------------------------------------- */

static const struct table_column day_columns[] = {
    {"DAY (UTC)", false, false},   {"MODEL", false, true}, {"TRACES", true, false},
    {"OBSERVATIONS", true, false}, {"IN", true, false},    {"OUT", true, false},
    {"TOTAL", true, false},        {"COST", true, false},
};
enum { DAY_COLUMNS = sizeof(day_columns) / sizeof(day_columns[0]) };

/* The day itself, then a line for each model. */
static void add_day(struct table *table, struct xtrace_slice day)
{
    char *cells[DAY_COLUMNS] = {
        cli_member(day, "date"),
        NULL,
        cli_member(day, "countTraces"),
        cli_member(day, "countObservations"),
        NULL,
        NULL,
        NULL,
        cli_member_cost(day, "totalCost"),
    };
    table_add(table, cells, "1");
    struct xtrace_json_walk walk;
    struct xtrace_slice model;
    if (!xtrace_json_enter(&walk, xtrace_json_find(day, "usage"), '[')) {
        return;
    }
    while (xtrace_json_next(&walk, NULL, &model)) {
        char *row[DAY_COLUMNS] = {
            NULL,
            cli_member(model, "model"),
            cli_member(model, "countTraces"),
            cli_member(model, "countObservations"),
            cli_member(model, "inputUsage"),
            cli_member(model, "outputUsage"),
            cli_member(model, "totalUsage"),
            cli_member_cost(model, "totalCost"),
        };
        table_add(table, row, NULL);
    }
}

static void print_days(const struct cli *cli, struct xtrace_slice body)
{
    struct table *table = table_create(day_columns, DAY_COLUMNS);
    struct xtrace_json_walk walk;
    struct xtrace_slice day;
    if (xtrace_json_enter(&walk, xtrace_json_find(body, "data"), '[')) {
        while (xtrace_json_next(&walk, NULL, &day)) {
            add_day(table, day);
        }
    }
    table_finish(table, cli);
}

int cli_daily(struct cli *cli, int argc, char **argv)
{
    struct xtrace_daily_query query = xtrace_daily_query_init();
    struct cli_list tags = {.count = 0};
    const struct cli_option options[] = {
        {"--page", CLI_COUNT, &query.page, "N", "from 1 on"},
        {"--limit", CLI_COUNT, &query.limit, "N", "days a page [50]"},
        {"--name", CLI_TEXT, &query.trace_name, "NAME", "traces of that name"},
        {"--user", CLI_TEXT, &query.user_id, "ID", "of that user"},
        {"--version-is", CLI_TEXT, &query.version, "TEXT", "of that version"},
        {"--release", CLI_TEXT, &query.release, "TEXT", "of that release"},
        {"--tag", CLI_TEXTS, &tags, "TAG", "with that tag; given again: with all of them"},
        {"--from", CLI_TIME, &query.from_us, "TIME", "not before [30d]"},
        {"--to", CLI_TIME, &query.to_us, "TIME", "not after [now]"},
    };
    struct cli_usage usage = {
        .command = "daily",
        .arguments = "",
        .help = "Traces, tokens and cost of each day and model, newest day first.",
        .options = options,
        .option_count = 9};
    cli_parse(cli, &usage, argc, argv);
    cli_connect(cli);
    query.tags = tags.values;
    query.tag_count = tags.count;
    struct xtrace_response *response;
    enum xtrace_status status = xtrace_daily_metrics(cli->client, &query, NULL, &response);
    return cli_finish(cli, status, response,
                      "this server has no daily metrics (GET /api/public/metrics/daily)",
                      print_days);
}

/* ---- health ---------------------------------------------------------------------------------- */

static void print_health(const struct cli *cli, struct xtrace_slice body)
{
    (void)cli;
    (void)body;
    puts("ready");
}

int cli_health(struct cli *cli, int argc, char **argv)
{
    struct cli_usage usage = {.command = "health",
                              .arguments = "",
                              .help = "Exit status 0: up, and its database can be reached."};
    cli_parse(cli, &usage, argc, argv);
    cli_connect(cli);
    struct xtrace_call once = xtrace_call_init();
    once.attempts = 1;
    struct xtrace_response *response;
    enum xtrace_status status = xtrace_readyz(cli->client, &once, &response);
    return cli_finish(cli, status, response, "this is no xtrace server", print_health);
}
