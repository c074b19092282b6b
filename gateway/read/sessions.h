/*
 * sessions: GET /api/public/sessions and GET /api/public/sessions/{id}. On the request's loop.
 */
#pragma once

#include "gateway/request.h"

void sessions_list(struct request *request);
void sessions_detail(struct request *request);
