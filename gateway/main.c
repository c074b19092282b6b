/*
 * xtrace-gateway: HTTP in front, the queue to the writers and the database behind. Reads the
 * settings, starts, waits for a signal, drains, stops.
 */
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/scrape.h"
#include "gateway/access.h"
#include "gateway/books.h"
#include "gateway/config.h"
#include "gateway/deliver.h"
#include "gateway/limit.h"
#include "gateway/refresh.h"
#include "gateway/routes.h"
#include "gateway/server.h"

enum {
    EXIT_FAILED = 1,
    EXIT_BAD_SETTING = 2,
    LARGE_BLOCK_BYTES = 256 * 1024,
    FIRST_LOOK_MS = 2000, /* at the tables, before anyone is served */
};

static const char program[] = "xtrace-gateway";

static void print_help(void)
{
    printf("Usage: %s [--help | --version]\n\n"
           "Serves the xtrace API over HTTP, hands writes to xtrace-writer and reads from\n"
           "PostgreSQL. Settings come from the environment:\n\n",
           program);
    settings_print(config_rows, stdout);
    printf("\nSIGTERM or SIGINT: running requests finish, then it exits 0; a second one ends it at "
           "once.\n");
}

/* True when the arguments asked for all that is to be done; *status is then the exit code. */
static bool handle_arguments(int argc, char **argv, int *status)
{
    *status = 0;
    if (argc == 1) {
        return false;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        print_help();
    } else if (strcmp(argv[1], "--version") == 0) {
        printf("%s %s\n", program, XTRACE_VERSION);
    } else {
        fprintf(stderr, "%s: unknown argument %s; see %s --help\n", program, argv[1], program);
        *status = EXIT_BAD_SETTING;
    }
    return true;
}

/* A connection is a descriptor, and the soft limit is often 1024. */
static void raise_file_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

/* glibc raises the size from which memory is returned to the system at once to as much as 32 MiB,
 * as soon as one large block was freed; bodies and batches would then stay resident for good. */
static void return_large_blocks(void)
{
    mallopt(M_MMAP_THRESHOLD, LARGE_BLOCK_BYTES);
}

/* Before any thread starts: threads inherit the mask, and the main one waits for the signals. */
static sigset_t prepare_signals(void)
{
    signal(SIGPIPE, SIG_IGN);
    sigset_t stops;
    sigemptyset(&stops);
    sigaddset(&stops, SIGTERM);
    sigaddset(&stops, SIGINT);
    pthread_sigmask(SIG_BLOCK, &stops, NULL);
    return stops;
}

static void wait_for_signal(const sigset_t *stops)
{
    int number = 0;
    sigwait(stops, &number);
    log_event(LOG_INFO, "draining", "signal", number == SIGTERM ? "SIGTERM" : "SIGINT", NULL);
    /* The next one has its default effect. */
    pthread_sigmask(SIG_UNBLOCK, stops, NULL);
}

/* Batches of clients that left are still owed to them. */
static void wait_for_receipts(struct deliver *deliver, int64_t give_up_ms)
{
    while (deliver_in_flight_count(deliver) > 0 && clock_monotonic_ms() < give_up_ms) {
        nanosleep(&(struct timespec){.tv_nsec = 10 * 1000000L}, NULL);
    }
    size_t left = deliver_in_flight_count(deliver);
    log_event(left > 0 ? LOG_WARN : LOG_INFO, "stopped", "batches_without_receipt",
              log_text("%zu", left), NULL);
}

static enum err serve(struct gateway *gateway, const sigset_t *stops, struct error *error)
{
    const struct config *config = gateway->config;
    struct deliver_options options = {
        .queue = config->queue,
        .ack_timeout_ms = (uint32_t)config->ack_timeout_ms,
        .deadline_ms = (uint32_t)config->write_deadline_ms,
        .max_in_flight_bytes = (size_t)config->max_in_flight_bytes,
        .books = gateway->books,
    };
    enum err err = deliver_open(&gateway->deliver, &options, error);
    if (err != ERR_OK) {
        return err;
    }
    struct scrape *scrape = NULL;
    if (config->metrics_addr != NULL) {
        err = scrape_open(&scrape, config->metrics_addr, books_print, gateway, error);
    }
    struct refresh *refresh = NULL;
    if (err == ERR_OK) {
        refresh = refresh_open(gateway->access, config->database_url, FIRST_LOOK_MS);
    }
    struct server *server;
    if (err == ERR_OK) {
        err = server_open(&server, gateway, error);
    }
    if (err == ERR_OK) {
        wait_for_signal(stops);
        int64_t give_up_ms = clock_monotonic_ms() + config->drain_timeout_ms;
        server_close(server, (uint32_t)config->drain_timeout_ms);
        wait_for_receipts(gateway->deliver, give_up_ms);
    }
    refresh_close(refresh);
    scrape_close(scrape);
    deliver_close(gateway->deliver);
    return err;
}

static void warn_of_half_a_pair(const struct config *config)
{
    if ((config->public_key == NULL) != (config->secret_key == NULL)) {
        log_event(LOG_WARN, "Basic credentials are off", "missing",
                  config->public_key == NULL ? "XTRACE_PUBLIC_KEY" : "XTRACE_SECRET_KEY", NULL);
    }
}

static int run(const struct config *config)
{
    sigset_t stops = prepare_signals();
    raise_file_limit();
    return_large_blocks();
    log_open(program, config->log_level, config->log_format);
    warn_of_half_a_pair(config);

    struct error error;
    struct access *access;
    enum err err = access_create(&access, config, &error);
    if (err == ERR_OK) {
        struct gateway gateway = {
            .config = config,
            .routes = routes,
            .access = access,
            .limit = limit_create(config->rate_limit_qps, config->rate_limit_burst),
            .books = books_create(routes, config->project_id),
        };
        err = serve(&gateway, &stops, &error);
        books_destroy(gateway.books);
        limit_destroy(gateway.limit);
    }
    access_destroy(access);
    if (err != ERR_OK) {
        fprintf(stderr, "%s: %s\n", program, error.text);
    }
    return err == ERR_OK ? 0 : err == ERR_INVALID ? EXIT_BAD_SETTING : EXIT_FAILED;
}

int main(int argc, char **argv)
{
    int status;
    if (handle_arguments(argc, argv, &status)) {
        return status;
    }
    struct config config;
    struct error error;
    log_open(program, LOG_INFO, LOG_FORMAT_TEXT); /* until the settings are known */
    if (config_read(&config, &error) != ERR_OK) {
        fprintf(stderr, "%s: %s\n", program, error.text);
        config_finish(&config);
        return EXIT_BAD_SETTING;
    }
    status = run(&config);
    config_finish(&config);
    return status;
}
