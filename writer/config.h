/*
 * config: this program's settings, read from the environment by one table (config_rows), which also
 * writes --help. Read once at start-up; never changed afterwards.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"
#include "common/log.h"
#include "common/settings.h"
#include "proto/queue.h"

enum { CONFIG_GATEWAYS_MAX = 64 };

/* Texts are owned by the struct; secrets are never logged. */
struct config {
    const char *database_url;
    const char *project_id;   /* gets its row in projects at start-up */
    const char *metrics_addr; /* NULL: no listener for /metrics */
    const char *home;
    const char *gateways_setting; /* NULL: gateways are made from home */
    bool migrate;                 /* at start-up */
    int64_t group_max_rows;
    int64_t group_max_bytes;
    int64_t traces_retention_days; /* 0: for ever */
    int64_t metrics_retention_days;
    int64_t dead_letters_retention_days;
    int64_t statement_timeout_ms;

    /* Derived. */
    struct queue_endpoints gateways[CONFIG_GATEWAYS_MAX];
    uint32_t gateway_count;
    enum log_level log_level;
    enum log_format log_format;
};

extern const struct setting config_rows[];

/* ERR_INVALID: one line that names the setting. config_finish is due in either case. */
MUST_CHECK enum err config_read(struct config *config, struct error *error);
void config_finish(struct config *config);
