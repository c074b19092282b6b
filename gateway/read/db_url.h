/*
 * db_url: the connection string with what it leaves open filled in, so that a server that vanished
 * is noticed. Not thread-safe.
 */
#pragma once

#include <libpq-fe.h>

struct db_url;

/* url: a libpq connection string or URI, copied. A malformed one fails when it is connected. */
struct db_url *db_url_create(const char *url);
void db_url_destroy(struct db_url *url);

/* PQconnectStartParams: returns at once but for name look-ups. NULL when out of memory. */
PGconn *db_url_connect(const struct db_url *url);
