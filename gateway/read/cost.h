/*
 * cost: why an observation costs what it costs (GET /api/public/observations/{id}/cost): the price row, the tier, and
 * the arithmetic for each kind of usage, from what the writer stored with it.
 */
#pragma once

#include "gateway/request.h"

void cost_explain(struct request *request);
