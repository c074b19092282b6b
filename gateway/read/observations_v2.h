/*
 * observations_v2: GET /api/public/v2/observations.
 */
#pragma once

#include "gateway/request.h"

void observations_list_v2(struct request *request);
