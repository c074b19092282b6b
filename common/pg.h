/*
 * pg: the little of libpq that both programs share.
 */
#pragma once

#include <libpq-fe.h>

#include "common/error.h"

/*
 * What an SQLSTATE means for who ran the statement: unique violation, deadlock, serialization ->
 * ERR_CONFLICT; other integrity, data exception, program limit exceeded, raised exception ->
 * ERR_REFUSED; query cancelled, lock not available -> ERR_TIMEOUT; connection, shutdown, out of
 * resources, disk full, read only -> ERR_UNAVAILABLE; anything else -> ERR_INTERNAL.
 */
enum err pg_state_err(const char *sqlstate);

/*
 * The same for a failed result, with the words in error (one line, without the values that
 * PostgreSQL quotes). result may be NULL, or libpq's own: then the connection's state decides.
 */
enum err pg_error(const PGconn *connection, const PGresult *result, struct error *error);
