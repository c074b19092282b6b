/* traces: traces list, traces show ID. */
#include <stdio.h>
#include <string.h>

#include "client/cli/cli.h"
#include "client/cli/filter.h"
#include "client/cli/show.h"
#include "client/cli/table.h"

/* "page 1 of 7, 312 in all", where there is more than what is shown. */
static void print_page(struct xtrace_slice body)
{
    struct xtrace_slice meta = xtrace_json_find(body, "meta");
    double pages = cli_number(xtrace_json_find(meta, "totalPages"));
    if (pages > 1) {
        fprintf(stderr, "page %.0f of %.0f, %.0f in all (--page, --limit)\n",
                cli_number(xtrace_json_find(meta, "page")), pages,
                cli_number(xtrace_json_find(meta, "totalItems")));
    }
}

static void print_traces(const struct cli *cli, struct xtrace_slice body)
{
    struct table *table = filter_table();
    struct xtrace_json_walk walk;
    struct xtrace_slice trace;
    if (xtrace_json_enter(&walk, xtrace_json_find(body, "data"), '[')) {
        while (xtrace_json_next(&walk, NULL, &trace)) {
            filter_add_row(table, trace);
        }
    }
    table_finish(table, cli);
    print_page(body);
}

static int list(struct cli *cli, int argc, char **argv)
{
    struct filter filter;
    struct cli_option options[FILTER_OPTIONS + 5];
    filter_init(&filter, options);
    struct xtrace_trace_query *query = &filter.query;
    const struct cli_option own[] = {
        {"--page", CLI_COUNT, &query->page, "N", "from 1 on"},
        {"--limit", CLI_COUNT, &query->limit, "N", "traces a page, at most 200 [50]"},
        {"--order", CLI_TEXT, &query->order_by, "COLUMN.DIR",
         "such as latency.desc [timestamp.desc]"},
        {"--filter", CLI_TEXT, &query->filter_json, "JSON",
         "conditions: "
         "[{\"type\":\"number\",\"column\":\"latency\",\"operator\":\">\",\"value\":2}]"},
        {"--fields", CLI_TEXT, &query->fields, "LIST",
         "with --json: parts of core,io,scores,observations,metrics [all]"},
    };
    memcpy(options + FILTER_OPTIONS, own, sizeof(own));
    struct cli_usage usage = {.command = "traces list",
                              .arguments = "",
                              .also = "traces show ID",
                              .help = "Traces, newest first.",
                              .options = options,
                              .option_count = FILTER_OPTIONS + 5};
    cli_parse(cli, &usage, argc, argv);
    cli_connect(cli);
    filter_query(&filter);
    if (!cli->is_json) {
        query->fields = "core,metrics"; /* no payloads over the line for a table */
    }
    struct xtrace_response *response;
    enum xtrace_status status = xtrace_list_traces(cli->client, query, NULL, &response);
    return cli_finish(cli, status, response, "the server has no list of traces: is the URL right?",
                      print_traces);
}

static int show(struct cli *cli, const char *command, int argc, char **argv)
{
    const struct cli_option options[] = {
        {"--full", CLI_FLAG, &cli->is_full, NULL,
         "input, output and metadata of every observation, uncut"},
    };
    struct cli_usage usage = {.command = command,
                              .arguments = "ID",
                              .help = "One trace and its observations.",
                              .options = options,
                              .option_count = 1,
                              .least = 1,
                              .most = 1};
    cli_parse(cli, &usage, argc, argv);
    cli_connect(cli);
    struct xtrace_response *response;
    enum xtrace_status status = xtrace_get_trace(cli->client, argv[0], NULL, &response);
    return cli_finish(cli, status, response, "there is no such trace", show_trace);
}

int cli_trace(struct cli *cli, int argc, char **argv)
{
    return show(cli, "trace", argc, argv);
}

static int show_one(struct cli *cli, int argc, char **argv)
{
    return show(cli, "traces show", argc, argv);
}

int cli_traces(struct cli *cli, int argc, char **argv)
{
    return cli_list_or_show(cli, "traces", argc, argv, list, show_one);
}
