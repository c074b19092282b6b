/*
 * listen: TCP listeners for BIND_ADDR, one a loop, that share a port (SO_REUSEPORT).
 */
#pragma once

#include "common/error.h"

enum { LISTEN_ADDRESS_SIZE = 300 };

/* "HOST:PORT", "[IPV6]:PORT", ":PORT" (every address). Pure. ERR_INVALID names BIND_ADDR. */
MUST_CHECK enum err listen_parse(const char *address, char host[LISTEN_ADDRESS_SIZE],
                                 char port[LISTEN_ADDRESS_SIZE], struct error *error);

/*
 * Fills fds (the caller closes them) and actual, the numeric address with the port that was taken.
 * ERR_INVALID: the address is none. ERR_UNAVAILABLE: it is in use or not ours; a sharing port of
 * another process counts as in use, as two gateways must not share requests by accident.
 */
MUST_CHECK enum err listen_open(const char *address, int count, int *fds,
                                char actual[LISTEN_ADDRESS_SIZE], struct error *error);
