/*
 * models: a page of models, and one of them: the project's own and those that are built in.
 */
#pragma once

#include "gateway/request.h"

/* GET /api/public/models. Own ones first, the newest first. */
void models_list(struct request *request);
/* GET /api/public/models/{id} */
void models_detail(struct request *request);
