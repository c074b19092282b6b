/* tail: asks again and again for the newest traces and prints those it has not printed. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "client/cli/cli.h"
#include "client/cli/filter.h"
#include "client/cli/table.h"

enum {
    PAGE = 200,
    PAGES_MAX = 20, /* of one look */
    SEEN_MAX = 2 * PAGES_MAX * PAGE,
    OVERLAP_US = 120 * 1000000, /* traces arrive later than their own time says */
};

/* A ring of hashes of the ids already printed. */
struct seen {
    uint64_t hashes[SEEN_MAX];
    size_t count;
};

struct tailing {
    struct cli *cli;
    struct filter filter;
    struct seen seen;
    int64_t interval_ms;
    int64_t left; /* traces until the end; negative: no end */
    int64_t newest_us;
    bool is_down; /* the last answer was none */
};

static volatile sig_atomic_t is_interrupted;

static void on_signal(int number)
{
    (void)number;
    is_interrupted = 1;
}

static uint64_t hash(struct xtrace_slice text)
{
    uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a */
    for (size_t i = 0; i < text.len; i++) {
        hash = (hash ^ (unsigned char)text.data[i]) * UINT64_C(1099511628211);
    }
    return hash;
}

static bool was_seen(const struct seen *seen, struct xtrace_slice id)
{
    uint64_t wanted = hash(id);
    for (size_t i = 0; i < SEEN_MAX && i < seen->count; i++) {
        if (seen->hashes[i] == wanted) {
            return true;
        }
    }
    return false;
}

/* True the first time. */
static bool remember(struct seen *seen, struct xtrace_slice id)
{
    if (was_seen(seen, id)) {
        return false;
    }
    seen->hashes[seen->count++ % SEEN_MAX] = hash(id);
    return true;
}

static void print_trace(const struct tailing *tailing, struct xtrace_slice trace)
{
    if (tailing->cli->is_json) {
        printf("%.*s\n", (int)trace.len, trace.data);
        return;
    }
    char *time = cli_member_time(trace, "timestamp");
    char *id = cli_member(trace, "id");
    char *name = cli_member(trace, "name");
    char *user = cli_member(trace, "userId");
    char *session = cli_member(trace, "sessionId");
    char *latency = cli_member_seconds(trace, "latency");
    char *cost = cli_member_cost(trace, "totalCost");
    printf("%s  %s  %s  user=%s  session=%s  latency=%s  cost=%s\n", time, id, name, user, session,
           latency, cost);
    free(time);
    free(id);
    free(name);
    free(user);
    free(session);
    free(latency);
    free(cost);
}

static void note_time(struct tailing *tailing, struct xtrace_slice trace)
{
    char *text = xtrace_json_string(xtrace_json_find(trace, "timestamp"));
    int64_t time_us;
    if (text != NULL && cli_parse_time(text, 0, &time_us) && time_us > tailing->newest_us) {
        tailing->newest_us = time_us;
    }
    free(text);
}

static size_t read_page(const struct xtrace_response *response, struct xtrace_slice traces[PAGE])
{
    size_t len;
    const char *body = xtrace_response_body(response, &len);
    struct xtrace_json_walk walk;
    size_t count = 0;
    if (xtrace_json_enter(&walk, xtrace_json_find(xtrace_json_parse(body, len), "data"), '[')) {
        while (count < PAGE && xtrace_json_next(&walk, NULL, &traces[count])) {
            count++;
        }
    }
    return count;
}

/* Pages are newest first; a reader wants the newest last. */
static void print_page(struct tailing *tailing, const struct xtrace_response *response)
{
    struct xtrace_slice traces[PAGE];
    size_t count = read_page(response, traces);
    while (count > 0 && tailing->left != 0) {
        struct xtrace_slice trace = traces[--count];
        note_time(tailing, trace);
        if (remember(&tailing->seen, xtrace_json_find(trace, "id"))) {
            print_trace(tailing, trace);
            tailing->left -= tailing->left > 0;
        }
    }
}

/* Whether there may be more new traces behind that page. */
static bool goes_on(const struct tailing *tailing, const struct xtrace_response *response)
{
    struct xtrace_slice traces[PAGE];
    size_t count = read_page(response, traces);
    return count == PAGE && !was_seen(&tailing->seen, xtrace_json_find(traces[PAGE - 1], "id"));
}

static void note_answer(struct tailing *tailing, bool is_answer)
{
    if (tailing->is_down && is_answer) {
        fprintf(stderr, "xtrace: the server is back\n");
    }
    tailing->is_down = !is_answer;
}

/* One look at everything new. A server that is away is told of once; it may come back. */
static int look(struct tailing *tailing)
{
    struct xtrace_response *pages[PAGES_MAX];
    struct xtrace_trace_query *query = filter_query(&tailing->filter);
    int64_t from_us = tailing->newest_us - OVERLAP_US;
    query->from_us = from_us > query->from_us ? from_us : query->from_us;
    size_t count = 0;
    enum xtrace_status status;
    do {
        query->page = (int64_t)count + 1;
        status = xtrace_list_traces(tailing->cli->client, query, NULL, &pages[count++]);
    } while (status == XTRACE_OK && count < PAGES_MAX && goes_on(tailing, pages[count - 1]));
    bool is_passing = status == XTRACE_TIMEOUT || status == XTRACE_UNREACHABLE ||
                      status == XTRACE_BUSY || status == XTRACE_UNAVAILABLE;
    int code = CLI_OK;
    if (status != XTRACE_OK && !(is_passing && tailing->is_down)) {
        code = cli_report(status, pages[count - 1],
                          "the server has no list of traces: is the URL right?");
    }
    note_answer(tailing, !is_passing);
    while (count > 0) {
        struct xtrace_response *page = pages[--count];
        if (status == XTRACE_OK) {
            print_page(tailing, page);
        }
        xtrace_response_destroy(page);
    }
    fflush(stdout);
    return is_passing ? CLI_OK : code;
}

static void wait_a_while(int64_t ms)
{
    struct timespec time = {(time_t)(ms / 1000), (long)(ms % 1000) * 1000000};
    nanosleep(&time, NULL); /* a signal ends it early, as it should */
}

static int follow(struct tailing *tailing)
{
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    int code = CLI_OK;
    while (code == CLI_OK && !is_interrupted && tailing->left != 0) {
        code = look(tailing);
        if (code == CLI_OK && !is_interrupted && tailing->left != 0) {
            wait_a_while(tailing->interval_ms);
        }
    }
    return code;
}

int cli_tail(struct cli *cli, int argc, char **argv)
{
    struct tailing *tailing = cli_alloc(sizeof(*tailing));
    struct cli_option options[FILTER_OPTIONS + 2];
    filter_init(&tailing->filter, options);
    tailing->cli = cli;
    tailing->interval_ms = 1000;
    tailing->left = -1;
    const struct cli_option own[] = {
        {"--interval", CLI_DURATION, &tailing->interval_ms, "TIME", "between two looks [1s]"},
        {"--count", CLI_INTEGER, &tailing->left, "N", "end after N traces"},
    };
    memcpy(options + FILTER_OPTIONS, own, sizeof(own));
    struct cli_usage usage = {"tail",
                              "",
                              "Prints traces as they come, from --from [now] on, until Ctrl-C.",
                              options,
                              FILTER_OPTIONS + 2,
                              0,
                              0};
    cli_parse(cli, &usage, argc, argv);
    cli_connect(cli);
    struct xtrace_trace_query *query = &tailing->filter.query;
    query->from_us = query->from_us != 0 ? query->from_us : xtrace_now_us();
    query->limit = PAGE;
    query->fields = cli->is_json ? NULL : "core,metrics";
    int code = follow(tailing);
    free(tailing);
    return code;
}
