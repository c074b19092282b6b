/*
 * pg: the little of libpq that both programs share.
 */
#pragma once

#include <libpq-fe.h>

#include "common/error.h"

/*
 * Which enum err a failed result means, by SQLSTATE class: unique violation, deadlock,
 * serialization
 * -> ERR_CONFLICT; other integrity, data exception, program limit exceeded, raised exception ->
 * ERR_REFUSED; query cancelled, lock not available -> ERR_TIMEOUT; connection, shutdown, out of
 * resources, disk full, read only -> ERR_UNAVAILABLE; anything else -> ERR_INTERNAL.
 * result may be NULL: then the connection's state decides.
 */
enum err pg_error(const PGconn *connection, const PGresult *result, struct error *error);
