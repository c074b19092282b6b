/*
 * openapi: the description of the API for programs (OpenAPI 3.1), made at build time from
 * gateway/openapi/. tests/integration/test_openapi.py holds it against routes.c and against the
 * running server. Handler of gateway/routes.c.
 */
#pragma once

#include "gateway/request.h"

void openapi_show(struct request *request);
