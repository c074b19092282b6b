/*
 * runs: GET /api/public/runs/{id}. On the request's loop.
 */
#pragma once

#include "gateway/request.h"

void runs_detail(struct request *request);
