/*
 * observations: GET /api/public/observations and /observations/{id}.
 */
#pragma once

#include "gateway/request.h"

void observations_list(struct request *request);
void observations_detail(struct request *request);
