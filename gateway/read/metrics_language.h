/*
 * metrics_language: GET /api/public/metrics and /api/public/v2/metrics: groups, their measures, over time
 * (contract/langfuse.md section 4.6).
 */
#pragma once

struct request;

void metrics_language(struct request *request);
void metrics_language_v2(struct request *request);
