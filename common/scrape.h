/*
 * scrape: a listener of its own for a program's own numbers: GET /metrics and GET /healthz over HTTP/1,
 * nothing else and without credentials, so only on a loopback or private address. One thread, apart
 * from whatever the program does: it answers when that hangs.
 */
#pragma once

#include "common/buf.h"
#include "common/error.h"

struct scrape;

/* Appends the numbers, as Prometheus text. Runs on scrape's thread. */
typedef void (*scrape_print)(void *context, struct buf *out);

/*
 * address as common/listen.h has it. ERR_INVALID: none, or one that others than this machine and its
 * private networks might reach. ERR_UNAVAILABLE: in use, or not ours. Both name XTRACE_METRICS_ADDR.
 * Signals must be blocked or handled already; print and context last until scrape_close.
 */
MUST_CHECK enum err scrape_open(struct scrape **out, const char *address, scrape_print print,
                                void *context, struct error *error);

/* Cuts what is connected. NULL is fine. */
void scrape_close(struct scrape *scrape);
