/*
 * filter: what every answer passes on its way out, whoever made it. All are readable from any origin
 * (gateway/cors.h). Errors that h2o makes itself (body too large, broken chunks, unknown expectation)
 * become JSON with X-Request-Id, and their connections discard; answers during the drain and endless
 * ones to HTTP/1.0 close the connection.
 */
#pragma once

#include <h2o.h>

#include "gateway/config.h"

/* config must outlive the pathconf. */
void filter_register(h2o_pathconf_t *pathconf, const struct config *config);
