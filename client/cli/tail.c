/*
 * tail: asks again and again for what has come since the last look and prints what it has not printed.
 * What counts is when the server first heard of a trace: its own time may be hours ago, or ahead.
 */
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
    OVERLAP_US = 30 * 1000000, /* a trace may be seen later than it says that it was made */
    LATE_S = 3600,             /* traces that are older than that when they come are not found */
    FILTER_MAX = 160,
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
    int64_t left;      /* traces until the end; negative: no end */
    int64_t oldest_us; /* of the traces' own times: --from; 0: not given */
    int64_t began_us;  /* without --from: traces made before are not printed */
    int64_t newest_us; /* when the last of those that were read was made; 0: none yet */
    char recent[FILTER_MAX];
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

/* When the server made the trace; 0 where it does not say. */
static int64_t made_us(struct xtrace_slice trace)
{
    char *text = xtrace_json_string(xtrace_json_find(trace, "createdAt"));
    int64_t time_us = 0;
    bool is_time = text != NULL && cli_parse_time(text, 0, &time_us);
    free(text);
    return is_time ? time_us : 0;
}

/* One that the last look should have seen as well, had it been there. */
static bool is_new(struct tailing *tailing, struct xtrace_slice trace)
{
    int64_t time_us = made_us(trace);
    tailing->newest_us = time_us > tailing->newest_us ? time_us : tailing->newest_us;
    return remember(&tailing->seen, xtrace_json_find(trace, "id")) &&
           (time_us == 0 || time_us >= tailing->began_us);
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
        if (is_new(tailing, trace)) {
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

/* Narrows the query to what came since the last look, but for the first one with --from. */
static void narrow(struct tailing *tailing, struct xtrace_trace_query *query)
{
    int64_t since_us =
        tailing->newest_us != 0 ? tailing->newest_us - OVERLAP_US : tailing->began_us;
    int64_t late_us = xtrace_now_us() - LATE_S * INT64_C(1000000);
    query->from_us = tailing->oldest_us;
    query->filter_json = NULL;
    if (since_us != 0) {
        char time[CLI_TIME_SIZE];
        cli_print_time(since_us, time);
        snprintf(tailing->recent, sizeof(tailing->recent),
                 "[{\"type\":\"datetime\",\"column\":\"createdAt\",\"operator\":\">=\",\"value\":"
                 "\"%s\"}]",
                 time);
        query->filter_json = tailing->recent;
        query->from_us = late_us > tailing->oldest_us ? late_us : tailing->oldest_us;
    }
}

/* One look at everything new. A server that is away is told of once; it may come back. */
static int look(struct tailing *tailing)
{
    struct xtrace_response *pages[PAGES_MAX];
    struct xtrace_trace_query *query = filter_query(&tailing->filter);
    narrow(tailing, query);
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
        {"--count", CLI_COUNT, &tailing->left, "N", "end after N traces"},
    };
    memcpy(options + FILTER_OPTIONS, own, sizeof(own));
    struct cli_usage usage = {
        .command = "tail",
        .arguments = "",
        .help = "Prints traces as they come, until Ctrl-C; with --from also those that are there. "
                "A trace\n"
                "that comes more than an hour late is not seen.",
        .options = options,
        .option_count = FILTER_OPTIONS + 2,
    };
    cli_parse(cli, &usage, argc, argv);
    cli_connect(cli);
    struct xtrace_trace_query *query = &tailing->filter.query;
    tailing->oldest_us = query->from_us;
    tailing->began_us = query->from_us == 0 ? xtrace_now_us() : 0;
    query->limit = PAGE;
    query->fields = cli->is_json ? NULL : "core,metrics";
    int code = follow(tailing);
    free(tailing);
    return code;
}
