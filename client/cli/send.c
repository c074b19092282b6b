/* send: bodies from files or stdin -> the batch routes, one after another. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/cli/cli.h"
#include "client/cli/splitter.h"

enum { SHOWN_REFUSALS = 5, PROGRESS_MS = 200, PLACE_MAX = 4200 };

struct sending {
    struct cli *cli;
    const char *file; /* its name, for messages */
    uint64_t bodies;  /* read */
    uint64_t sent;    /* acknowledged as a whole */
    uint64_t refused; /* as a whole or in part, by the server or here */
    uint64_t bytes;
    bool has_progress;
    int64_t progress_us; /* when it was last shown */
};

static void clear_progress(const struct sending *sending)
{
    if (sending->has_progress) {
        fprintf(stderr, "\r\033[K");
    }
}

static void show_progress(struct sending *sending)
{
    int64_t now_us = xtrace_now_us();
    if (sending->has_progress && now_us - sending->progress_us > PROGRESS_MS * 1000) {
        sending->progress_us = now_us;
        fprintf(stderr, "\r\033[K%llu sent, %llu refused, %.1f MB",
                (unsigned long long)sending->sent, (unsigned long long)sending->refused,
                (double)sending->bytes / 1e6);
    }
}

static void print_refusals(const struct xtrace_response *response)
{
    struct xtrace_refusal refusal;
    size_t count = xtrace_response_refusal_count(response);
    for (size_t i = 0; i < count && i < SHOWN_REFUSALS; i++) {
        if (xtrace_response_refusal(response, i, &refusal)) {
            char *path = cli_show_raw((struct xtrace_slice){refusal.path, strlen(refusal.path)});
            char *why =
                cli_show_raw((struct xtrace_slice){refusal.message, strlen(refusal.message)});
            fprintf(stderr, "  %s: %s\n", path, why);
            free(path);
            free(why);
        }
    }
    if (count > SHOWN_REFUSALS) {
        fprintf(stderr, "  and %zu more\n", count - SHOWN_REFUSALS);
    }
}

static bool has(struct xtrace_slice body, const char *name)
{
    return xtrace_json_find(body, name).data != NULL;
}

/* {"metrics":[...]} belongs to the metrics route, all else to the batch route. */
static enum xtrace_status send_body(struct sending *sending, struct xtrace_slice body,
                                    struct xtrace_response **response)
{
    struct xtrace_client *client = sending->cli->client;
    return has(body, "metrics")
               ? xtrace_send_metrics_json(client, body.data, body.len, NULL, response)
               : xtrace_send_batch_json(client, body.data, body.len, NULL, response);
}

/* CLI_OK: go on with the next body, also after one that was refused. */
static int send_one(struct sending *sending, struct xtrace_slice body, uint64_t line)
{
    struct xtrace_response *response;
    enum xtrace_status status = send_body(sending, body, &response);
    int code = CLI_OK;
    if (status == XTRACE_OK) {
        sending->sent++;
    } else {
        char place[PLACE_MAX];
        clear_progress(sending);
        snprintf(place, sizeof(place), "%s:%llu: ", sending->file, (unsigned long long)line);
        code = cli_report_at(place, status, response, "this server has no such route");
        print_refusals(response);
        if (status == XTRACE_REFUSED) {
            sending->refused++;
            code = CLI_OK;
        }
    }
    sending->bytes += body.len;
    xtrace_response_destroy(response);
    show_progress(sending);
    return code;
}

static void complain(struct sending *sending, uint64_t line, const char *words)
{
    clear_progress(sending);
    fprintf(stderr, "xtrace: %s:%llu: %s\n", sending->file, (unsigned long long)line, words);
}

/* A body in which the server would find nothing is a mistake, though the server would take it. */
static const char *wrong_with(enum split split, struct xtrace_slice body)
{
    if (split != SPLIT_VALUE || !xtrace_json_is_valid(body.data, body.len, XTRACE_JSON_DEPTH)) {
        return "not a JSON object: left out";
    }
    return has(body, "trace") || has(body, "observations") || has(body, "metrics")
               ? NULL
               : "neither trace nor observations nor metrics in it: left out";
}

static int send_stream(struct sending *sending, struct splitter *splitter)
{
    struct xtrace_slice value;
    enum split split;
    int code = CLI_OK;
    while (code == CLI_OK &&
           ((split = splitter_next(splitter, &value)) == SPLIT_VALUE || split == SPLIT_BROKEN)) {
        const char *wrong = wrong_with(split, value);
        sending->bodies++;
        if (wrong == NULL) {
            code = send_one(sending, value, splitter->line);
        } else {
            sending->refused++;
            complain(sending, splitter->line, wrong);
        }
    }
    if (code == CLI_OK && split != SPLIT_END) {
        complain(sending, splitter->line,
                 split == SPLIT_TOO_LONG ? "a body of more than 256 MiB" : strerror(errno));
        code = CLI_FAILED;
    }
    return code;
}

static int send_file(struct sending *sending, const char *name)
{
    bool is_stdin = strcmp(name, "-") == 0;
    sending->file = is_stdin ? "stdin" : name;
    FILE *file = is_stdin ? stdin : fopen(name, "r");
    if (file == NULL) {
        fprintf(stderr, "xtrace: %s: %s\n", name, strerror(errno));
        return CLI_FAILED;
    }
    struct splitter *splitter = cli_alloc(sizeof(*splitter));
    splitter_init(splitter, file);
    int code = send_stream(sending, splitter);
    splitter_finish(splitter);
    free(splitter);
    if (!is_stdin) {
        fclose(file);
    }
    return code;
}

static void print_summary(const struct sending *sending)
{
    unsigned long long bodies = sending->bodies;
    unsigned long long sent = sending->sent;
    unsigned long long refused = sending->refused;
    unsigned long long bytes = sending->bytes;
    clear_progress(sending);
    if (sending->cli->is_json) {
        printf("{\"bodies\":%llu,\"sent\":%llu,\"refused\":%llu,\"bytes\":%llu}\n", bodies, sent,
               refused, bytes);
    } else {
        printf("%llu %s read: %llu sent, %llu refused (%llu bytes)\n", bodies,
               bodies == 1 ? "body" : "bodies", sent, refused, bytes);
    }
}

int cli_send(struct cli *cli, int argc, char **argv)
{
    struct cli_usage usage = {
        .command = "send",
        .arguments = "[FILE...]",
        .help =
            "Sends batch bodies: {\"trace\":...,\"observations\":[...]} or {\"metrics\":[...]}, "
            "one\n"
            "after another, one a line, or in one array. Without a file, or for -, from stdin. A\n"
            "line that is none is told of and left out. Sending something again is harmless:\n"
            "records merge by id.",
        .most = 1000,
    };
    char *from_stdin[] = {(char[]){"-"}};
    size_t count = cli_parse(cli, &usage, argc, argv);
    char **files = count > 0 ? argv : from_stdin;
    cli_connect(cli);
    struct sending sending = {.cli = cli, .has_progress = isatty(STDERR_FILENO) && !cli->is_json};
    int code = CLI_OK;
    for (size_t i = 0; i < (count > 0 ? count : 1) && code == CLI_OK; i++) {
        code = send_file(&sending, files[i]);
    }
    print_summary(&sending);
    return code == CLI_OK && sending.refused > 0 ? CLI_FAILED : code;
}
