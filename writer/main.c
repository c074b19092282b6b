/*
 * main: reads the settings, runs the line until a signal, or one of the subcommands.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/scrape.h"
#include "writer/capture.h"
#include "writer/config.h"
#include "writer/dead_letters.h"
#include "writer/keys.h"
#include "writer/line.h"
#include "writer/migrate.h"
#include "writer/projects.h"
#include "writer/reprice.h"
#include "writer/retention.h"
#include "writer/session.h"
#include "writer/tally.h"
#include "writer/words.h"

enum { EXIT_USAGE = 2 };

static void print_help(FILE *out)
{
    fputs("usage: xtrace-writer [COMMAND]\n"
          "\n"
          "Takes batches from the gateways and writes them to PostgreSQL. Any number may run.\n"
          "\n"
          "commands\n"
          "  (none)                        run until SIGTERM or SIGINT\n"
          "  migrate                       bring the tables up to date, grant what the roles need\n"
          "  dead-letters list             rows that PostgreSQL refused, newest first\n"
          "  dead-letters show ID          one of them, whole\n"
          "  dead-letters replay ID|--all  write it again; --all: all not yet replayed\n"
          "  project add ID [--name NAME]  a project more\n"
          "  project list                  id, name, time of creation, keys that are good\n"
          "  key add PROJECT [--scope all|ingest|read|scores[,...]] [--expires 90d|12h|TIME]\n"
          "          [--name NAME] [--public-key KEY] [--secret-stdin] [--json]\n"
          "                                a key more; its secret is printed this once. With a "
          "secret\n"
          "                                from stdin, a key that clients have already\n"
          "  key revoke PUBLIC_KEY         no gateway takes it any more within about a second\n"
          "  key list [PROJECT] [--json]   public key, project, scopes, state, times, name\n"
          "  capture list [PROJECT]        what is kept of what a project is sent: mode, keys, "
          "patterns\n"
          "  capture set PROJECT mode full|metadata_only|error_only|masked|default\n"
          "  capture set PROJECT keys|patterns VALUE|default\n"
          "                                as XTRACE_CAPTURE, XTRACE_REDACT_KEYS, "
          "XTRACE_REDACT_PATTERNS of\n"
          "                                the gateway; default: what its settings say\n"
          "  reprice [--project P] [--from T] [--to T] [--model M] [--dry-run]\n"
          "                                apply the prices of now to what is stored\n"
          "  retention list                days that each project keeps traces and metrics\n"
          "  retention set PROJECT traces|metrics DAYS|default\n"
          "                                0 days: for ever; default: what the settings say\n"
          "  --help, --version\n"
          "\n"
          "exit codes: 0 done; 1 failed, one line on stderr says why; 2 wrong usage or settings\n"
          "\n"
          "settings (environment)\n",
          out);
    settings_print(config_rows, out);
}

/* For the subcommands, which have nothing else to do meanwhile. */
static void wait_plainly(void *context, int fd, short events, int timeout_ms)
{
    struct pollfd pollfd = {.fd = fd, .events = events};
    poll(&pollfd, 1, timeout_ms);
}

static int fail(const struct error *error)
{
    fprintf(stderr, "xtrace-writer: %s\n", error->text);
    return EXIT_FAILURE;
}

/* The signals wait in a descriptor; before any thread is started, so that all inherit the mask. */
static int open_signals(void)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN);
    return signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int run_line(const struct config *config)
{
    struct error error;
    struct tally tally = {0};
    struct scrape *scrape = NULL;
    int signal_fd = open_signals();
    if (signal_fd < 0) {
        fprintf(stderr, "xtrace-writer: signalfd: %s\n", strerror(errno));
        return EXIT_FAILURE;
    }
    enum err err = ERR_OK;
    if (config->metrics_addr != NULL) {
        err = scrape_open(&scrape, config->metrics_addr, tally_print, &tally, &error);
    }
    if (err != ERR_OK) {
        close(signal_fd);
        int code = fail(&error);
        return err == ERR_INVALID ? EXIT_USAGE : code;
    }
    err = line_run(config, signal_fd, &tally, &error);
    scrape_close(scrape);
    close(signal_fd);
    if (err != ERR_OK) {
        log_event(LOG_ERROR, "cannot run", "error", error.text, NULL);
        return EXIT_FAILURE;
    }
    log_event(LOG_INFO, "stopped", NULL);
    return EXIT_SUCCESS;
}

static int run_migrate(const struct config *config, struct session *session)
{
    struct error error;
    enum err err = session_open(session, &error);
    if (err == ERR_OK) {
        err = migrate_run(session, MIGRATE_GRANT, &error);
    }
    if (err == ERR_OK) {
        err = migrate_add_project(session, config->project_id, &error);
    }
    if (err != ERR_OK) {
        return fail(&error);
    }
    printf("the database is at version %d\n", migration_count);
    return EXIT_SUCCESS;
}

/* A subcommand that needs the tables as they are now; argv: the words behind its one or two. */
struct command {
    const char *name;
    const char *verb; /* NULL: it has none */
    int min;          /* words behind them */
    int max;
    enum err (*run)(struct session *session, int argc, char **argv, struct error *error);
};

static enum err open_current(struct session *session, struct error *error)
{
    enum err err = session_open(session, error);
    return err == ERR_OK ? migrate_run(session, MIGRATE_CHECK, error) : err;
}

static enum err run_dead_letters_list(struct session *session, int argc, char **argv,
                                      struct error *error)
{
    enum err err = open_current(session, error);
    return err == ERR_OK ? dead_letters_list(session, stdout, error) : err;
}

static enum err run_dead_letters_show(struct session *session, int argc, char **argv,
                                      struct error *error)
{
    enum err err = open_current(session, error);
    return err == ERR_OK ? dead_letters_show(session, argv[0], stdout, error) : err;
}

static enum err run_dead_letters_replay(struct session *session, int argc, char **argv,
                                        struct error *error)
{
    const char *id = strcmp(argv[0], "--all") == 0 ? NULL : argv[0];
    enum err err = open_current(session, error);
    return err == ERR_OK ? dead_letters_replay(session, id, stdout, error) : err;
}

static enum err run_project_add(struct session *session, int argc, char **argv, struct error *error)
{
    struct project_order order;
    enum err err = project_order_read(argc, argv, &order, error);
    if (err == ERR_OK) {
        err = open_current(session, error);
    }
    return err == ERR_OK ? projects_add(session, &order, error) : err;
}

static enum err run_project_list(struct session *session, int argc, char **argv,
                                 struct error *error)
{
    enum err err = open_current(session, error);
    return err == ERR_OK ? projects_list(session, stdout, error) : err;
}

static enum err run_key_add(struct session *session, int argc, char **argv, struct error *error)
{
    struct key_order order;
    enum err err = key_order_read(argc, argv, clock_wall_us(), &order, error);
    if (err == ERR_OK) {
        err = open_current(session, error);
    }
    return err == ERR_OK ? keys_add(session, &order, stdin, stdout, error) : err;
}

static enum err run_key_revoke(struct session *session, int argc, char **argv, struct error *error)
{
    enum err err = open_current(session, error);
    return err == ERR_OK ? keys_revoke(session, argv[0], error) : err;
}

static enum err run_key_list(struct session *session, int argc, char **argv, struct error *error)
{
    bool as_json = false;
    const char *project = NULL;
    const struct word_option options[] = {{"--json", NULL, &as_json}, {.name = NULL}};
    int places = 0;
    for (int i = 0; i < argc; i++) {
        places += strncmp(argv[i], "--", 2) != 0;
    }
    enum err err = words_read(argc, argv, options, &project, places > 0, error);
    if (err == ERR_OK) {
        err = open_current(session, error);
    }
    return err == ERR_OK ? keys_list(session, project, as_json, stdout, error) : err;
}

static enum err run_capture_list(struct session *session, int argc, char **argv,
                                 struct error *error)
{
    enum err err = open_current(session, error);
    return err == ERR_OK ? capture_list(session, argc > 0 ? argv[0] : NULL, stdout, error) : err;
}

static enum err run_capture_set(struct session *session, int argc, char **argv, struct error *error)
{
    enum err err = open_current(session, error);
    return err == ERR_OK ? capture_set(session, argv[0], argv[1], argv[2], error) : err;
}

static enum err run_reprice(struct session *session, int argc, char **argv, struct error *error)
{
    struct reprice_order order;
    enum err err = reprice_order_read(argc, argv, &order, error);
    if (err == ERR_OK) {
        err = open_current(session, error);
    }
    return err == ERR_OK ? reprice_run(session, &order, stdout, error) : err;
}

static enum err run_retention_list(struct session *session, int argc, char **argv,
                                   struct error *error)
{
    enum err err = open_current(session, error);
    return err == ERR_OK ? retention_list(session, stdout, error) : err;
}

static enum err run_retention_set(struct session *session, int argc, char **argv,
                                  struct error *error)
{
    enum err err = open_current(session, error);
    return err == ERR_OK ? retention_set(session, argv[0], argv[1], argv[2], error) : err;
}

static const struct command commands[] = {
    {"dead-letters", "list", 0, 0, run_dead_letters_list},
    {"dead-letters", "show", 1, 1, run_dead_letters_show},
    {"dead-letters", "replay", 1, 1, run_dead_letters_replay},
    {"project", "add", 1, 3, run_project_add},
    {"project", "list", 0, 0, run_project_list},
    {"key", "add", 1, 12, run_key_add},
    {"key", "revoke", 1, 1, run_key_revoke},
    {"key", "list", 0, 2, run_key_list},
    {"capture", "list", 0, 1, run_capture_list},
    {"capture", "set", 3, 3, run_capture_set},
    {"reprice", NULL, 0, 9, run_reprice},
    {"retention", "list", 0, 0, run_retention_list},
    {"retention", "set", 3, 3, run_retention_set},
    {.name = NULL},
};

/* With the program's own. */
static int count_names(const struct command *command)
{
    return command->verb != NULL ? 3 : 2;
}

/* NULL: these words are no command. */
static const struct command *find_command(int argc, char **argv)
{
    for (const struct command *command = commands; command->name != NULL; command++) {
        int left = argc - count_names(command);
        if (left >= command->min && left <= command->max && strcmp(argv[1], command->name) == 0 &&
            (command->verb == NULL || strcmp(argv[2], command->verb) == 0)) {
            return command;
        }
    }
    return NULL;
}

static int run_command(const struct config *config, const struct command *command, int argc,
                       char **argv)
{
    struct session session;
    struct session_options options = {.url = config->database_url,
                                      .application_name = "xtrace-writer",
                                      .statement_timeout_ms = config->statement_timeout_ms,
                                      .wait = wait_plainly};
    struct error error;
    int code = EXIT_SUCCESS;
    session_init(&session, &options);
    enum err err = ERR_OK;
    if (command == NULL) {
        code = run_migrate(config, &session);
    } else {
        int names = count_names(command);
        err = command->run(&session, argc - names, argv + names, &error);
    }
    if (err != ERR_OK) {
        code = fail(&error);
        /* Words that were wrong before anyone asked the database. */
        code = err == ERR_INVALID && !session_is_open(&session) ? EXIT_USAGE : code;
    }
    session_finish(&session);
    return code;
}

static bool is_word(int argc, char **argv, const char *word)
{
    return argc == 2 && strcmp(argv[1], word) == 0;
}

/* "xtrace-writer key --help" too. */
static bool asks_for_help(int argc, char **argv)
{
    return argc >= 2 && strcmp(argv[argc - 1], "--help") == 0;
}

/* h2o 2.2.5 (common/scrape.c) keeps freed buffers for each thread and has no call that frees them: they
 * are lost with the thread. Read by LeakSanitizer alone. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:h2o_mem_alloc_recycle\n";
}

int main(int argc, char **argv)
{
    const struct command *command = find_command(argc, argv);
    if (asks_for_help(argc, argv)) {
        print_help(stdout);
        return EXIT_SUCCESS;
    }
    if (is_word(argc, argv, "--version")) {
        printf("xtrace-writer %s\n", XTRACE_VERSION);
        return EXIT_SUCCESS;
    }
    if (argc != 1 && !is_word(argc, argv, "migrate") && command == NULL) {
        print_help(stderr);
        return EXIT_USAGE;
    }
    struct config config;
    struct error error;
    if (config_read(&config, &error) != ERR_OK) {
        fprintf(stderr, "xtrace-writer: %s\n", error.text);
        config_finish(&config);
        return EXIT_USAGE;
    }
    log_open("xtrace-writer", config.log_level, config.log_format);
    int code = argc == 1 ? run_line(&config) : run_command(&config, command, argc, argv);
    config_finish(&config);
    return code;
}
