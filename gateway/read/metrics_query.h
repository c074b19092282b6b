/*
 * metrics_query: GET /api/public/metrics/query: a metric's series, aggregated in steps of time. On the
 * request's loop only; answers the request exactly once, now or later.
 */
#pragma once

#include "gateway/request.h"

void metrics_query(struct request *request);
