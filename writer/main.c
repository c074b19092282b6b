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

#include "common/log.h"
#include "common/scrape.h"
#include "writer/config.h"
#include "writer/dead_letters.h"
#include "writer/line.h"
#include "writer/migrate.h"
#include "writer/retention.h"
#include "writer/session.h"
#include "writer/tally.h"

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

static int run_dead_letters(struct session *session, int argc, char **argv)
{
    struct error error;
    enum err err = session_open(session, &error);
    if (err == ERR_OK) {
        err = migrate_run(session, MIGRATE_CHECK, &error);
    }
    if (err == ERR_OK && strcmp(argv[0], "list") == 0) {
        err = dead_letters_list(session, stdout, &error);
    } else if (err == ERR_OK && strcmp(argv[0], "show") == 0) {
        err = dead_letters_show(session, argv[1], stdout, &error);
    } else if (err == ERR_OK) {
        err = dead_letters_replay(session, strcmp(argv[1], "--all") == 0 ? NULL : argv[1], stdout,
                                  &error);
    }
    return err == ERR_OK ? EXIT_SUCCESS : fail(&error);
}

static int run_retention(struct session *session, int argc, char **argv)
{
    struct error error;
    enum err err = session_open(session, &error);
    if (err == ERR_OK) {
        err = migrate_run(session, MIGRATE_CHECK, &error);
    }
    if (err == ERR_OK) {
        err = argc == 1 ? retention_list(session, stdout, &error)
                        : retention_set(session, argv[1], argv[2], argv[3], &error);
    }
    return err == ERR_OK ? EXIT_SUCCESS : fail(&error);
}

static bool is_command(int argc, char **argv, const char *first, const char *second, int count)
{
    return argc == count && strcmp(argv[1], first) == 0 &&
           (second == NULL || strcmp(argv[2], second) == 0);
}

static int run_command(const struct config *config, int argc, char **argv)
{
    struct session session;
    struct session_options options = {.url = config->database_url,
                                      .application_name = "xtrace-writer",
                                      .statement_timeout_ms = config->statement_timeout_ms,
                                      .wait = wait_plainly};
    session_init(&session, &options);
    int code = strcmp(argv[1], "migrate") == 0     ? run_migrate(config, &session)
               : strcmp(argv[1], "retention") == 0 ? run_retention(&session, argc - 2, argv + 2)
                                                   : run_dead_letters(&session, argc - 2, argv + 2);
    session_finish(&session);
    return code;
}

static bool is_usage_good(int argc, char **argv)
{
    return argc == 1 || is_command(argc, argv, "migrate", NULL, 2) ||
           is_command(argc, argv, "retention", "list", 3) ||
           is_command(argc, argv, "retention", "set", 6) ||
           is_command(argc, argv, "dead-letters", "list", 3) ||
           is_command(argc, argv, "dead-letters", "show", 4) ||
           is_command(argc, argv, "dead-letters", "replay", 4);
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
    if (is_command(argc, argv, "--help", NULL, 2)) {
        print_help(stdout);
        return EXIT_SUCCESS;
    }
    if (is_command(argc, argv, "--version", NULL, 2)) {
        printf("xtrace-writer %s\n", XTRACE_VERSION);
        return EXIT_SUCCESS;
    }
    if (!is_usage_good(argc, argv)) {
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
    int code = argc == 1 ? run_line(&config) : run_command(&config, argc, argv);
    config_finish(&config);
    return code;
}
