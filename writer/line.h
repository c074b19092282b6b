/*
 * line: the writer's line, and the poll that turns everything else meanwhile:
 *
 *   receive -> proto unpack -> accumulate -> apply (lookup, merge, copy) -> commit -> ack
 *
 * line_run is the one loop: take what has queued up, settle it, again. Whatever waits for PostgreSQL
 * does so in one poll that also receives and unpacks the next group, says hello to the gateways and
 * turns maintenance. One thread.
 */
#pragma once

#include "common/error.h"
#include "writer/config.h"
#include "writer/tally.h"

/*
 * Runs until signal_fd (a signalfd) becomes readable, then finishes the group, sends receipts and
 * returns ERR_OK. ERR_INVALID: the database cannot be used as it is; waiting would not help.
 */
MUST_CHECK enum err line_run(const struct config *config, int signal_fd, struct tally *tally,
                             struct error *error);
