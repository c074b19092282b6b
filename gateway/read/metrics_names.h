/*
 * metrics_names: GET /api/public/metrics/names: the names of all metrics ever sent, ascending. On the
 * request's loop only; answers the request exactly once, now or later.
 */
#pragma once

#include "gateway/request.h"

void metrics_names(struct request *request);
