/*
 * server: h2o's set-up. One thread, event loop, h2o context and SO_REUSEPORT listener each; shared
 * between them only what is in struct gateway.
 */
#pragma once

#include <stdint.h>

#include <h2o.h>

#include "common/error.h"
#include "gateway/access.h"
#include "gateway/config.h"
#include "gateway/intake.h"

struct books;
struct db;
struct deliver;
struct deliver_port;
struct limit;
struct route;
struct server;

/* Shared by all loops; set up before they start, then read only but for what is thread-safe. */
struct gateway {
    const struct config *config;
    const struct route *routes; /* gateway/routes.h */
    struct access *access;
    struct limit *limit; /* thread-safe; NULL: no limit */
    struct deliver *deliver;
    struct books *books;
    struct intake_gauge gauge;
};

/* What one loop thread owns. */
struct worker {
    struct gateway *gateway;
    h2o_context_t *context;
    struct access_view access;
    struct db *db;
    struct deliver_port *port;
    h2o_linklist_t discarding; /* struct discard */
    uint32_t discarding_count;
    h2o_timeout_t probe_timeout; /* 2 s: gateway/health.c */
    h2o_timeout_t discard_timeout;
};

/* Credentials and rules as they are now; good until the loop looks again. */
const struct access_snapshot *server_access(struct worker *worker);

/* The worker whose context it is. */
struct worker *server_worker(h2o_context_t *context);

/* Binds config->bind_addr (ERR_UNAVAILABLE names it) and starts the loops. */
MUST_CHECK enum err server_open(struct server **out, struct gateway *gateway, struct error *error);

/* Stops accepting, lets running requests finish for at most drain_ms, ends the loops. */
void server_close(struct server *server, uint32_t drain_ms);
