/*
 * cli: what the commands of the xtrace tool share: settings, exit codes, options, one way to end. One
 * thread; unlike the library the tool is alone in its process, so lack of memory ends it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client/json.h"
#include "client/xtrace.h"

enum cli_exit {
    CLI_OK = 0,
    CLI_FAILED = 1,
    CLI_USAGE = 2,
    CLI_NOT_FOUND = 3,
    CLI_UNAUTHORIZED = 4,
    CLI_UNAVAILABLE = 5
};

/* What deploy/up leaves for its users in XTRACE_HOME/credentials; NULL: not there. */
struct cli_credentials {
    char *url;
    char *token;
    char *public_key;
    char *secret_key;
};

struct cli {
    const char *url; /* arguments, environment or credentials file; NULL: not given */
    const char *token;
    const char *keys; /* PUBLIC:SECRET */
    const char *ca_file;
    int64_t timeout_ms;
    bool is_json;
    bool is_full; /* traces show --full */
    bool has_color;
    int width;                   /* of the terminal; 0: stdout is none, nothing is cut */
    struct cli_credentials file; /* owned, as what follows */
    char *joined_keys;           /* PUBLIC:SECRET of the environment or the file */
    struct xtrace_client *client;
};

/* ---- arguments: args.c ---- */

enum cli_kind {
    CLI_FLAG,     /* bool */
    CLI_TEXT,     /* const char * */
    CLI_TEXTS,    /* struct cli_list, one more each time */
    CLI_COUNT,    /* int64_t, from 1 on */
    CLI_TIME,     /* int64_t, microseconds since 1970 */
    CLI_DURATION, /* int64_t, milliseconds */
};

enum { CLI_LIST_MAX = 64 };
struct cli_list {
    const char *values[CLI_LIST_MAX];
    size_t count;
};

struct cli_option {
    const char *name; /* with its dashes */
    enum cli_kind kind;
    void *to;
    const char *value; /* its name in the help; NULL for a flag */
    const char *help;
};

struct cli_usage {
    const char *command;   /* "traces list" */
    const char *arguments; /* "ID"; "" when there are none */
    const char *help;
    const char *also; /* "sessions show ID": what else the first word can do; NULL: nothing */
    const struct cli_option *options; /* of the command; the global ones are always there too */
    size_t option_count;
    size_t least; /* arguments beside the options */
    size_t most;
};

/* Reads the rest of the command line. Ends the program with CLI_USAGE at anything wrong and with CLI_OK
 * after --help. Values are slices of argv. Returns how many arguments there are; they are moved to the
 * front of argv. */
size_t cli_parse(struct cli *cli, const struct cli_usage *usage, int argc, char **argv);

/* "2026-01-02T03:04:05Z" (offset allowed), "2026-01-02", "now", or an age: "90s", "15m", "2h", "7d". */
bool cli_parse_time(const char *text, int64_t now_us, int64_t *time_us);

enum { CLI_TIME_SIZE = 32 };
/* "2026-01-02T03:04:05.000006Z". */
void cli_print_time(int64_t time_us, char text[CLI_TIME_SIZE]);

/* "90s", "15m", "250ms"; a bare number is seconds. */
bool cli_parse_duration(const char *text, int64_t *duration_ms);

typedef int (*cli_command)(struct cli *cli, int argc, char **argv);

/* The command that argv begins with: list, which may be left out, or show. */
int cli_list_or_show(struct cli *cli, const char *name, int argc, char **argv, cli_command list,
                     cli_command show);

/* ---- running: run.c ---- */

/* Fills what the arguments left open from the environment and the credentials file, and makes the
 * client. Ends with CLI_USAGE when a setting is wrong. */
void cli_connect(struct cli *cli);

/* Frees what connect made; fine without it. */
void cli_disconnect(struct cli *cli);

/* The exit code of a call; anything but XTRACE_OK is put on stderr. missing: what a 404 means, may be
 * NULL. response may be NULL. */
int cli_report(enum xtrace_status status, const struct xtrace_response *response,
               const char *missing);

/* The same, with what it was about before it: "stdin:7: ". */
int cli_report_at(const char *place, enum xtrace_status status,
                  const struct xtrace_response *response, const char *missing);

/* --json: the body and a newline. */
void cli_print_body(const struct xtrace_response *response);

/* The end of a command that asks one thing: reports a failure, else prints the body as it is (--json) or
 * by print. Takes the response; returns the exit code. */
int cli_finish(const struct cli *cli, enum xtrace_status status, struct xtrace_response *response,
               const char *missing, void (*print)(const struct cli *cli, struct xtrace_slice body));

/* A line on stderr and the end. */
_Noreturn void cli_die(int code, const char *format, ...) __attribute__((format(printf, 2, 3)));

void *cli_alloc(size_t len);

/* ---- values: values.c: the caller frees what they return ---- */

/* For a person, on one line: strings without quotes, null and nothing as "-", control characters made
 * harmless. */
char *cli_show(struct xtrace_slice value);
char *cli_member(struct xtrace_slice object, const char *name);
/* "2026-01-02 03:04:05.678" of a time; seconds as "1.23 s" or "45 ms"; money. "-" for null. */
char *cli_member_time(struct xtrace_slice object, const char *name);
char *cli_member_seconds(struct xtrace_slice object, const char *name);
char *cli_member_cost(struct xtrace_slice object, const char *name);
/* The JSON text itself, control characters made harmless, line breaks kept. */
char *cli_show_raw(struct xtrace_slice value);
double cli_number(struct xtrace_slice value);

/* ---- commands ---- */

int cli_traces(struct cli *cli, int argc, char **argv);
int cli_trace(struct cli *cli, int argc, char **argv);
int cli_sessions(struct cli *cli, int argc, char **argv);
int cli_run(struct cli *cli, int argc, char **argv);
int cli_metrics(struct cli *cli, int argc, char **argv);
int cli_daily(struct cli *cli, int argc, char **argv);
int cli_send(struct cli *cli, int argc, char **argv);
int cli_tail(struct cli *cli, int argc, char **argv);
int cli_health(struct cli *cli, int argc, char **argv);
