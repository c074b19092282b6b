/*
 * scores: pages of scores, and one score. Version 1 knows the scores of traces and their observations only,
 * version 2 all. (Version 3: scores_v3.h.)
 */
#pragma once

#include "gateway/request.h"

void scores_list_v1(struct request *request);
void scores_list_v2(struct request *request);
void scores_detail_v1(struct request *request);
void scores_detail_v2(struct request *request);
