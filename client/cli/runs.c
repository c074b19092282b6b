/* run: run ID, how a run of an agent stands. */
#include "client/cli/cli.h"
#include "client/cli/show.h"

static void print_run(const struct cli *cli, struct xtrace_slice run)
{
    struct xtrace_slice latest = xtrace_json_find(run, "latest");
    show_line(cli, "run", cli_member(run, "id"));
    show_line(cli, "status", cli_member(run, "status"));
    show_line(cli, "session", cli_member(run, "sessionId"));
    show_line(cli, "first (UTC)", cli_member_time(run, "firstTimestamp"));
    show_line(cli, "last (UTC)", cli_member_time(run, "lastTimestamp"));
    show_line(cli, "traces", cli_member(run, "countTraces"));
    show_line(cli, "steps", cli_member(run, "countObservations"));
    show_line(cli, "errors", cli_member(run, "countErrors"));
    show_line(cli, "tokens", cli_member(run, "totalTokens"));
    show_line(cli, "cost", cli_member_cost(run, "totalCost"));
    show_line(cli, "latest", cli_member(latest, "name"));
    show_line(cli, "  type", cli_member(latest, "stepType"));
    show_line(cli, "  message", cli_member(latest, "statusMessage"));
    show_line(cli, "  trace", cli_member(latest, "traceId"));
}

int cli_run(struct cli *cli, int argc, char **argv)
{
    struct cli_usage usage = {
        .command = "run",
        .arguments = "ID",
        .help =
            "How a run stands: what has its id as run_id in metadata. Its traces: xtrace traces\n"
            "list --run ID.",
        .least = 1,
        .most = 1,
    };
    cli_parse(cli, &usage, argc, argv);
    cli_connect(cli);
    struct xtrace_response *response;
    enum xtrace_status status = xtrace_get_run(cli->client, argv[0], NULL, &response);
    return cli_finish(cli, status, response, "there is no such run, or this server has no runs",
                      print_run);
}
