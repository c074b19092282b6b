/*
 * projects: GET /api/public/projects: the credential's project. On the request's loop only; answers
 * the request exactly once, now or later.
 */
#pragma once

#include "gateway/request.h"

void projects_list(struct request *request);
