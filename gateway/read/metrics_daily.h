/*
 * metrics_daily: GET /api/public/metrics/daily: traces, observations, tokens and costs by UTC day.
 * On the request's loop only; answers the request exactly once, now or later.
 */
#pragma once

#include "gateway/request.h"

void metrics_daily(struct request *request);
