/*
 * scores_v3: scores page by page behind a cursor, with one value typed by the score's data type.
 */
#pragma once

#include "gateway/request.h"

void scores_list_v3(struct request *request);
