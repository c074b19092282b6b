/*
 * config: this program's settings, read from the environment by one table (config_rows), which also
 * writes --help. Read once at start-up; never changed afterwards, so any thread may read it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "common/error.h"
#include "common/log.h"
#include "common/settings.h"
#include "gateway/ingest/capture.h"

enum { CONFIG_QUEUE_SIZE = 300 };

/* Texts are owned by the struct; secrets are never logged. */
struct config {
    const char *database_url;
    const char *bearer_token;
    const char *bind_addr;  /* "HOST:PORT" or "[IPV6]:PORT" */
    const char *project_id; /* of everything the credentials below send and see */
    const char *public_key; /* NULL when unset; Basic needs both keys */
    const char *secret_key; /* NULL when unset */
    int64_t rate_limit_qps; /* query routes, per credential; 0: no limit */
    int64_t rate_limit_burst;
    int64_t max_request_body_bytes; /* of any request; for gzip the inflated size too */
    bool allow_unauthenticated_compat;
    const char *metrics_addr; /* NULL: no listener for /metrics alone */
    const char *home;
    const char *queue_setting; /* NULL: queue is made from home */
    int64_t threads;           /* 0: as many as there are processors */
    int64_t ack_timeout_ms;
    int64_t write_deadline_ms;
    int64_t max_in_flight_bytes;
    int64_t max_json_depth;
    int64_t max_records; /* of one request */
    const char *capture_word;
    const char *redact_keys;     /* NULL when unset */
    const char *redact_patterns; /* NULL when unset */
    int64_t db_connections;      /* per loop */
    int64_t query_timeout_ms;
    int64_t drain_timeout_ms;

    /* Derived. */
    char queue[CONFIG_QUEUE_SIZE]; /* base endpoint, see proto/queue.h */
    enum capture_mode capture;
    enum log_level log_level;
    enum log_format log_format;
};

extern const struct setting config_rows[];

/* ERR_INVALID: one line that names the setting. config_finish is due in either case. */
MUST_CHECK enum err config_read(struct config *config, struct error *error);
void config_finish(struct config *config);
