/*
 * traces: GET /api/public/traces and GET /api/public/traces/{id}. On the request's loop only; each
 * answers the request exactly once, now or later.
 */
#pragma once

#include "gateway/request.h"

void traces_list(struct request *request);
void traces_detail(struct request *request);
