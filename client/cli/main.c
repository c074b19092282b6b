/* main: the xtrace tool: the command's name -> its function; nothing else. */
#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "client/cli/cli.h"

struct command {
    const char *name;
    cli_command run;
    const char *help;
};

static const struct command commands[] = {
    {"traces", cli_traces, "list traces, or show one: traces list | traces show ID"},
    {"trace", cli_trace, "the same as traces show"},
    {"sessions", cli_sessions, "list sessions, or show one: sessions | sessions show ID"},
    {"run", cli_run, "how a run of an agent stands: run ID"},
    {"metrics", cli_metrics, "metrics names | metrics query NAME"},
    {"daily", cli_daily, "traces, tokens and cost by day"},
    {"send", cli_send, "send batch bodies (JSON or NDJSON) from files or stdin"},
    {"tail", cli_tail, "follow new traces"},
    {"health", cli_health, "is the server up and ready"},
};
enum { COMMANDS = sizeof(commands) / sizeof(commands[0]) };

static void print_help(FILE *to)
{
    fprintf(to, "usage: xtrace COMMAND [ARGUMENT...] [OPTION...]\n\n");
    for (size_t i = 0; i < COMMANDS; i++) {
        fprintf(to, "  %-10s%s\n", commands[i].name, commands[i].help);
    }
    fprintf(to,
            "\nxtrace COMMAND --help lists the options. --version prints the version.\n"
            "\nsettings, each after its option: XTRACE_URL or BASE_URL, API_BEARER_TOKEN,\n"
            "XTRACE_PUBLIC_KEY and XTRACE_SECRET_KEY, then the file credentials in XTRACE_HOME\n"
            "[.xtrace], then http://127.0.0.1:8080. NO_COLOR turns colours off.\n"
            "\nexit status: 0 ok, 1 the request failed, 2 wrong usage, 3 not found,\n"
            "4 unauthorized, 5 server unavailable\n");
}

static int terminal_width(void)
{
    struct winsize size;
    const char *columns = getenv("COLUMNS");
    if (!isatty(STDOUT_FILENO)) {
        return 0;
    }
    if (columns != NULL && atoi(columns) > 0) {
        return atoi(columns);
    }
    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

static bool wants_color(void)
{
    const char *no_color = getenv("NO_COLOR");
    const char *term = getenv("TERM");
    return isatty(STDOUT_FILENO) && (no_color == NULL || *no_color == '\0') && term != NULL &&
           strcmp(term, "dumb") != 0;
}

/* For wcwidth; what is printed is UTF-8 whatever the locale. Numbers stay in the C locale. */
static void set_locale(void)
{
    if (setlocale(LC_CTYPE, "") == NULL || strcmp(nl_langinfo(CODESET), "UTF-8") != 0) {
        (void)setlocale(LC_CTYPE, "C.UTF-8");
    }
}

static const struct command *find(const char *name)
{
    for (size_t i = 0; i < COMMANDS; i++) {
        if (strcmp(commands[i].name, name) == 0) {
            return &commands[i];
        }
    }
    return NULL;
}

/* Options may stand before the command: then it is the first word that is neither one nor its value. */
static int command_at(int argc, char **argv)
{
    int i = 1;
    while (i < argc && argv[i][0] == '-') {
        bool has_value = strchr(argv[i], '=') == NULL && strcmp(argv[i], "--json") != 0;
        i += has_value ? 2 : 1;
    }
    return i;
}

int main(int argc, char **argv)
{
    struct cli cli = {.width = terminal_width(), .has_color = wants_color()};
    set_locale();
    if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        print_help(argc < 2 ? stderr : stdout);
        return argc < 2 ? CLI_USAGE : CLI_OK;
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("xtrace %s\n", xtrace_version());
        return CLI_OK;
    }
    int at = command_at(argc, argv);
    if (at >= argc) {
        cli_die(CLI_USAGE, "a command is wanted (xtrace --help)");
    }
    const struct command *command = find(argv[at]);
    if (command == NULL) {
        cli_die(CLI_USAGE, "%s: no such command (xtrace --help)", argv[at]);
    }
    memmove(argv + 2, argv + 1, (size_t)(at - 1) * sizeof(*argv));
    int code = command->run(&cli, argc - 2, argv + 2);
    cli_disconnect(&cli);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        cli_die(CLI_FAILED, "stdout: %s", strerror(errno));
    }
    return code;
}
