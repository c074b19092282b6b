/* sessions: sessions [list], sessions show ID. */
#include <stdio.h>
#include <string.h>

#include "client/cli/cli.h"
#include "client/cli/filter.h"
#include "client/cli/show.h"
#include "client/cli/table.h"

static const struct table_column columns[] = {
    {"SESSION", false, true}, {"FIRST (UTC)", false, false}, {"LAST (UTC)", false, false},
    {"TRACES", true, false},  {"COST", true, false},         {"LATEST", false, true},
};
enum { COLUMNS = sizeof(columns) / sizeof(columns[0]) };

static void print_sessions(const struct cli *cli, struct xtrace_slice body)
{
    struct table *table = table_create(columns, COLUMNS);
    struct xtrace_json_walk walk;
    struct xtrace_slice session;
    if (xtrace_json_enter(&walk, xtrace_json_find(body, "data"), '[')) {
        while (xtrace_json_next(&walk, NULL, &session)) {
            struct xtrace_slice latest = xtrace_json_find(session, "latest");
            bool has_first = xtrace_json_find(session, "firstTimestamp").data != NULL;
            char *cells[COLUMNS] = {
                cli_member(session, "id"),
                cli_member_time(session, has_first ? "firstTimestamp" : "createdAt"),
                cli_member_time(session, "lastTimestamp"),
                cli_member(session, "countTraces"),
                cli_member_cost(session, "totalCost"),
                cli_member(latest, "status"),
            };
            table_add(table, cells, NULL);
        }
    }
    table_finish(table, cli);
}

static void print_session(const struct cli *cli, struct xtrace_slice session)
{
    struct table *table = filter_table();
    struct xtrace_json_walk walk;
    struct xtrace_slice trace;
    show_line(cli, "session", cli_member(session, "id"));
    show_line(cli, "created", cli_member_time(session, "createdAt"));
    show_line(cli, "first", cli_member_time(session, "firstTimestamp"));
    show_line(cli, "last", cli_member_time(session, "lastTimestamp"));
    show_line(cli, "cost", cli_member_cost(session, "totalCost"));
    show_line(cli, "latest", cli_member(xtrace_json_find(session, "latest"), "status"));
    putchar('\n');
    if (xtrace_json_enter(&walk, xtrace_json_find(session, "traces"), '[')) {
        while (xtrace_json_next(&walk, NULL, &trace)) {
            filter_add_row(table, trace);
        }
    }
    table_finish(table, cli);
}

static int list(struct cli *cli, int argc, char **argv)
{
    struct xtrace_session_query query = xtrace_session_query_init();
    struct cli_list environments = {.count = 0};
    const struct cli_option options[] = {
        {"--page", CLI_COUNT, &query.page, "N", "from 1 on"},
        {"--limit", CLI_COUNT, &query.limit, "N", "sessions a page [50]"},
        {"--env", CLI_TEXTS, &environments, "NAME", "of that environment"},
        {"--from", CLI_TIME, &query.from_us, "TIME", "not before"},
        {"--to", CLI_TIME, &query.to_us, "TIME", "not after"},
    };
    struct cli_usage usage = {.command = "sessions list",
                              .arguments = "",
                              .also = "sessions show ID",
                              .help =
                                  "Sessions, newest first, and how the latest step of each ended.",
                              .options = options,
                              .option_count = 5};
    cli_parse(cli, &usage, argc, argv);
    cli_connect(cli);
    query.environments = environments.values;
    query.environment_count = environments.count;
    struct xtrace_response *response;
    enum xtrace_status status = xtrace_list_sessions(cli->client, &query, NULL, &response);
    return cli_finish(cli, status, response,
                      "this server has no sessions (GET /api/public/sessions)", print_sessions);
}

static int show(struct cli *cli, int argc, char **argv)
{
    struct cli_usage usage = {.command = "sessions show",
                              .arguments = "ID",
                              .help = "One session and its traces.",
                              .least = 1,
                              .most = 1};
    cli_parse(cli, &usage, argc, argv);
    cli_connect(cli);
    struct xtrace_response *response;
    enum xtrace_status status = xtrace_get_session(cli->client, argv[0], NULL, &response);
    return cli_finish(cli, status, response,
                      "there is no such session, or this server has no sessions", print_session);
}

int cli_sessions(struct cli *cli, int argc, char **argv)
{
    return cli_list_or_show(cli, "sessions", argc, argv, list, show);
}
