#include "writer/config.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "common/shared_settings.h"

#define FIELD(name) .offset = offsetof(struct config, name)

const struct setting config_rows[] = {
    SETTING_DATABASE_URL,
    {.key = "DEFAULT_PROJECT_ID",
     .type = SETTING_TEXT,
     FIELD(project_id),
     .fallback = "default",
     .help = "project that is made at start-up"},
    {.key = "XTRACE_METRICS_ADDR",
     .type = SETTING_TEXT,
     FIELD(metrics_addr),
     .help = "where /metrics is served, without credentials: HOST:PORT of a loopback or private "
             "address; unset: nowhere"},
    SETTING_HOME,
    {.key = "XTRACE_GATEWAYS",
     .type = SETTING_TEXT,
     FIELD(gateways_setting),
     .help = "the gateways' queues, with commas between: ipc://PATH or tcp://HOST:PORT; unset: "
             "ipc://$XTRACE_HOME/run/queue"},
    {.key = "XTRACE_MIGRATE",
     .type = SETTING_BOOL,
     FIELD(migrate),
     .fallback = "1",
     .help = "1: bring the tables up to date at start-up; 0: only check that they are"},
    {.key = "XTRACE_GROUP_MAX_ROWS",
     .type = SETTING_INT,
     FIELD(group_max_rows),
     .fallback = "5000",
     .min = 1,
     .max = 1000000,
     .help = "rows of one transaction; a single larger batch still goes through whole"},
    {.key = "XTRACE_GROUP_MAX_BYTES",
     .type = SETTING_INT,
     FIELD(group_max_bytes),
     .fallback = "16777216",
     .min = 1024,
     .max = INT64_C(1) << 30,
     .help = "bytes of one transaction; a single larger batch still goes through whole"},
    {.key = "XTRACE_STATEMENT_TIMEOUT_MS",
     .type = SETTING_INT,
     FIELD(statement_timeout_ms),
     .fallback = "30000",
     .min = 100,
     .max = 3600000,
     .help = "milliseconds after which PostgreSQL gives up on one statement"},
    {.key = "TRACES_RETENTION_DAYS",
     .type = SETTING_INT,
     FIELD(traces_retention_days),
     .fallback = "0",
     .min = 0,
     .max = 36500,
     .help = "days after their time that traces are deleted, where a project has no number of its "
             "own; 0 keeps them for ever"},
    {.key = "METRICS_RETENTION_DAYS",
     .type = SETTING_INT,
     FIELD(metrics_retention_days),
     .fallback = "0",
     .min = 0,
     .max = 36500,
     .help = "the same for metric points"},
    {.key = "DEAD_LETTERS_RETENTION_DAYS",
     .type = SETTING_INT,
     FIELD(dead_letters_retention_days),
     .fallback = "30",
     .min = 0,
     .max = 36500,
     .help =
         "days that rows refused by PostgreSQL are kept, replayed or not; 0 keeps them for ever"},
    SETTING_LOG_LEVEL("debug, info, warn or error"),
    SETTING_LOG_FORMAT,
    {.key = NULL},
};

static enum err add_gateway(struct config *config, const char *base, struct error *error)
{
    if (config->gateway_count == CONFIG_GATEWAYS_MAX) {
        return error_set(error, ERR_INVALID, "XTRACE_GATEWAYS: more than %d gateways",
                         CONFIG_GATEWAYS_MAX);
    }
    enum err err = queue_parse(base, &config->gateways[config->gateway_count], error);
    if (err != ERR_OK) {
        error_context(error, "XTRACE_GATEWAYS");
        return err;
    }
    config->gateway_count++;
    return ERR_OK;
}

static enum err read_gateways(struct config *config, struct error *error)
{
    if (config->gateways_setting == NULL) {
        char base[QUEUE_ENDPOINT_SIZE];
        int length = snprintf(base, sizeof(base), "ipc://%s/run/queue", config->home);
        if (length < 0 || (size_t)length >= sizeof(base)) {
            return error_set(error, ERR_INVALID, "XTRACE_HOME: too long for a socket's path");
        }
        return add_gateway(config, base, error);
    }
    const char *at = config->gateways_setting;
    while (*at != '\0') {
        size_t length = strcspn(at, ", ");
        char base[QUEUE_ENDPOINT_SIZE];
        if (length >= sizeof(base)) {
            return error_set(error, ERR_INVALID, "XTRACE_GATEWAYS: an address is too long");
        }
        memcpy(base, at, length);
        base[length] = '\0';
        if (length > 0) {
            enum err err = add_gateway(config, base, error);
            if (err != ERR_OK) {
                return err;
            }
        }
        at += length;
        at += strspn(at, ", ");
    }
    if (config->gateway_count == 0) {
        return error_set(error, ERR_INVALID, "XTRACE_GATEWAYS: names no gateway");
    }
    return ERR_OK;
}

enum err config_read(struct config *config, struct error *error)
{
    memset(config, 0, sizeof(*config));
    enum err err = settings_read(config_rows, config, error);
    return err == ERR_OK ? read_gateways(config, error) : err;
}

void config_finish(struct config *config)
{
    settings_finish(config_rows, config);
}
