/* args: the command line against a table of options, and its help. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "client/cli/cli.h"

enum { HELP_COLUMN = 24, GLOBAL_COUNT = 6 };

static void make_globals(struct cli *cli, struct cli_option out[GLOBAL_COUNT])
{
    const struct cli_option globals[GLOBAL_COUNT] = {
        {"--url", CLI_TEXT, &cli->url, "URL", "the server [XTRACE_URL, else BASE_URL]"},
        {"--token", CLI_TEXT, &cli->token, "TOKEN", "bearer token [API_BEARER_TOKEN]"},
        {"--key", CLI_TEXT, &cli->keys, "PUB:SEC",
         "key pair [XTRACE_PUBLIC_KEY, XTRACE_SECRET_KEY]"},
        {"--ca-file", CLI_TEXT, &cli->ca_file, "FILE", "certificate authorities to trust (PEM)"},
        {"--timeout", CLI_DURATION, &cli->timeout_ms, "TIME",
         "for each call, retries included [30s]"},
        {"--json", CLI_FLAG, &cli->is_json, NULL, "JSON as the server sends it, not tables"},
    };
    memcpy(out, globals, sizeof(globals));
}

static void print_options(const struct cli_option *options, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *value = options[i].value != NULL ? options[i].value : "";
        char left[64];
        snprintf(left, sizeof(left), "%s %s", options[i].name, value);
        printf("  %-*s%s\n", HELP_COLUMN, left, options[i].help);
    }
}

static _Noreturn void print_help(struct cli *cli, const struct cli_usage *usage)
{
    struct cli_option globals[GLOBAL_COUNT];
    make_globals(cli, globals);
    printf("usage: xtrace %s%s%s [OPTION...]\n", usage->command,
           *usage->arguments != '\0' ? " " : "", usage->arguments);
    if (usage->also != NULL) {
        printf("       xtrace %s [OPTION...]\n", usage->also);
    }
    printf("\n%s\n", usage->help);
    if (usage->option_count > 0) {
        printf("\noptions\n");
        print_options(usage->options, usage->option_count);
    }
    printf("\nfor every command\n");
    print_options(globals, GLOBAL_COUNT);
    exit(CLI_OK);
}

bool cli_parse_duration(const char *text, int64_t *duration_ms)
{
    static const struct {
        const char *unit;
        double ms;
    } units[] = {{"", 1e3}, {"s", 1e3}, {"ms", 1}, {"m", 6e4}, {"h", 3.6e6}, {"d", 8.64e7}};
    char *end;
    double number = strtod(text, &end);
    if (end == text || !(number >= 0 && number < 1e9)) {
        return false;
    }
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (strcmp(end, units[i].unit) == 0) {
            *duration_ms = (int64_t)(number * units[i].ms);
            return true;
        }
    }
    return false;
}

/* "", "Z" or "+hh:mm" -> seconds east of UTC. */
static bool parse_offset(const char *text, long *offset_s)
{
    int hours, minutes, len = 0;
    char sign;
    *offset_s = 0;
    if (*text == '\0' || strcmp(text, "Z") == 0 || strcmp(text, "z") == 0) {
        return true;
    }
    if (sscanf(text, "%c%2d:%2d%n", &sign, &hours, &minutes, &len) != 3 || text[len] != '\0' ||
        (sign != '+' && sign != '-')) {
        return false;
    }
    *offset_s = (hours * 3600L + minutes * 60L) * (sign == '-' ? -1 : 1);
    return true;
}

static bool parse_calendar(const char *text, int64_t *time_us)
{
    struct tm tm = {0};
    const char *rest = strptime(text, "%Y-%m-%d", &tm);
    if (rest == NULL) {
        return false;
    }
    double fraction = 0;
    if (*rest == 'T' || *rest == ' ') {
        rest = strptime(rest + 1, "%H:%M:%S", &tm);
        if (rest == NULL) {
            return false;
        }
        if (*rest == '.') {
            char *end;
            fraction = strtod(rest, &end);
            rest = end;
        }
    }
    long offset_s;
    if (!parse_offset(rest, &offset_s)) {
        return false;
    }
    *time_us = ((int64_t)timegm(&tm) - offset_s) * 1000000 + (int64_t)(fraction * 1e6 + 0.5);
    return true;
}

bool cli_parse_time(const char *text, int64_t now_us, int64_t *time_us)
{
    int64_t age_ms;
    if (parse_calendar(text, time_us)) {
        return true;
    }
    if (strcmp(text, "now") == 0) {
        *time_us = now_us;
        return true;
    }
    if (!cli_parse_duration(text, &age_ms)) {
        return false;
    }
    *time_us = now_us - age_ms * 1000;
    return true;
}

void cli_print_time(int64_t time_us, char text[CLI_TIME_SIZE])
{
    time_t seconds = (time_t)(time_us / 1000000);
    struct tm tm;
    char whole[24] = "";
    gmtime_r(&seconds, &tm);
    strftime(whole, sizeof(whole), "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(text, CLI_TIME_SIZE, "%s.%06dZ", whole, (int)(time_us % 1000000));
}

static bool parse_count(const char *text, int64_t *count)
{
    char *end;
    errno = 0;
    *count = strtoll(text, &end, 10);
    return errno == 0 && end != text && *end == '\0' && *count > 0;
}

static void add_to_list(struct cli_list *list, const char *name, const char *value)
{
    if (list->count == CLI_LIST_MAX) {
        cli_die(CLI_USAGE, "%s: at most %d of them", name, CLI_LIST_MAX);
    }
    list->values[list->count++] = value;
}

static void store(const struct cli_option *option, const char *value)
{
    bool ok = true;
    switch (option->kind) {
    case CLI_FLAG:
        *(bool *)option->to = true;
        break;
    case CLI_TEXT:
        *(const char **)option->to = value;
        break;
    case CLI_TEXTS:
        add_to_list(option->to, option->name, value);
        break;
    case CLI_COUNT:
        ok = parse_count(value, option->to);
        break;
    case CLI_TIME:
        ok = cli_parse_time(value, xtrace_now_us(), option->to);
        break;
    case CLI_DURATION:
        ok = cli_parse_duration(value, option->to);
        break;
    }
    if (!ok) {
        cli_die(CLI_USAGE, "%s %s: not %s", option->name, value,
                option->kind == CLI_COUNT  ? "a number from 1 on"
                : option->kind == CLI_TIME ? "a time such as 2026-01-02T03:04:05Z or 15m"
                                           : "a duration such as 500ms or 2m");
    }
}

static const struct cli_option *find(const struct cli_option *options, size_t count,
                                     const char *name, size_t len)
{
    for (size_t i = 0; i < count; i++) {
        if (strlen(options[i].name) == len && memcmp(options[i].name, name, len) == 0) {
            return &options[i];
        }
    }
    return NULL;
}

/* "--name value" or "--name=value"; returns how many words of the command line that was. */
static int take_option(struct cli *cli, const struct cli_usage *usage, int left, char **argv)
{
    struct cli_option globals[GLOBAL_COUNT];
    make_globals(cli, globals);
    size_t len = strcspn(argv[0], "=");
    const struct cli_option *option = find(usage->options, usage->option_count, argv[0], len);
    if (option == NULL) {
        option = find(globals, GLOBAL_COUNT, argv[0], len);
    }
    if (option == NULL) {
        cli_die(CLI_USAGE, "%s: no such option (xtrace %s --help)", argv[0], usage->command);
    }
    if (argv[0][len] == '=') {
        if (option->kind == CLI_FLAG) {
            cli_die(CLI_USAGE, "%s takes no value", option->name);
        }
        store(option, argv[0] + len + 1);
        return 1;
    }
    if (option->kind == CLI_FLAG) {
        store(option, NULL);
        return 1;
    }
    if (left < 2) {
        cli_die(CLI_USAGE, "%s needs a value", option->name);
    }
    store(option, argv[1]);
    return 2;
}

size_t cli_parse(struct cli *cli, const struct cli_usage *usage, int argc, char **argv)
{
    size_t count = 0;
    bool only_arguments = false;
    for (int i = 0; i < argc;) {
        bool is_option = !only_arguments && argv[i][0] == '-' && argv[i][1] != '\0';
        if (is_option && strcmp(argv[i], "--") == 0) {
            only_arguments = true;
            i++;
        } else if (is_option && (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)) {
            print_help(cli, usage);
        } else if (is_option) {
            i += take_option(cli, usage, argc - i, argv + i);
        } else {
            argv[count++] = argv[i++];
        }
    }
    if (count < usage->least || count > usage->most) {
        cli_die(CLI_USAGE, "usage: xtrace %s%s%s [OPTION...]", usage->command,
                *usage->arguments != '\0' ? " " : "", usage->arguments);
    }
    return count;
}

int cli_list_or_show(struct cli *cli, const char *name, int argc, char **argv, cli_command list,
                     cli_command show)
{
    bool is_named = argc > 0 && argv[0][0] != '-';
    if (is_named && strcmp(argv[0], "show") == 0) {
        return show(cli, argc - 1, argv + 1);
    }
    if (is_named && strcmp(argv[0], "list") != 0) {
        cli_die(CLI_USAGE, "%s %s: list or show is wanted", name, argv[0]);
    }
    return list(cli, argc - is_named, argv + is_named);
}
