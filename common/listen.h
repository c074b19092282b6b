/*
 * listen: TCP listeners for an address, one or several that share a port (SO_REUSEPORT). Errors do
 * not name the setting that the address came from: callers add it. Thread-safe.
 */
#pragma once

#include <stdbool.h>

#include "common/error.h"

enum { LISTEN_ADDRESS_SIZE = 300 };

/* "HOST:PORT", "[IPV6]:PORT", ":PORT" (every address). Pure. ERR_INVALID: none of them. */
MUST_CHECK enum err listen_parse(const char *address, char host[LISTEN_ADDRESS_SIZE],
                                 char port[LISTEN_ADDRESS_SIZE], struct error *error);

/*
 * Fills fds (the caller closes them) and actual, the numeric address with the port that was taken.
 * ERR_INVALID: the address is none. ERR_UNAVAILABLE: it is in use or not ours; a sharing port of
 * another process counts as in use, as two programs must not share requests by accident.
 */
MUST_CHECK enum err listen_open(const char *address, int count, int *fds,
                                char actual[LISTEN_ADDRESS_SIZE], struct error *error);

/* True when only this machine or its private networks can reach the listener: loopback, RFC 1918,
 * RFC 6598, link-local, unique local. "Every address" is not. */
bool listen_is_private(int fd);
