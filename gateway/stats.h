/*
 * stats: GET /api/internal/rate_limit_stats: what the rate limit has let through and turned away since
 * the process started. On the request's loop; answers the request exactly once.
 */
#pragma once

#include "gateway/request.h"

void stats_rate_limit(struct request *request);
