#include "gateway/routes.h"

#include "gateway/health.h"
#include "gateway/ingest/ingest.h"
#include "gateway/openapi.h"
#include "gateway/read/cost.h"
#include "gateway/read/metrics_daily.h"
#include "gateway/read/metrics_language.h"
#include "gateway/read/metrics_names.h"
#include "gateway/read/metrics_query.h"
#include "gateway/read/models.h"
#include "gateway/read/observations.h"
#include "gateway/read/observations_v2.h"
#include "gateway/read/projects.h"
#include "gateway/read/runs.h"
#include "gateway/read/scores.h"
#include "gateway/read/scores_v3.h"
#include "gateway/read/sessions.h"
#include "gateway/read/traces.h"
#include "gateway/stats.h"
#include "gateway/uploads.h"

const struct route routes[] = {
    /* method, path, handler, access, rate limited, has a body */
    {"GET", "/healthz", health_live, ACCESS_OPEN, false, false},
    {"GET", "/readyz", health_ready, ACCESS_OPEN, false, false},
    {"GET", "/metrics", health_metrics, ACCESS_OPERATE, false, false},
    {"GET", "/api/openapi.json", openapi_show, ACCESS_OPEN, false, false},
    {"GET", "/api/public/health", health_status, ACCESS_OPEN, false, false},
    {"GET", "/api/public/ready", health_ready_status, ACCESS_OPEN, false, false},
    {"POST", "/v1/l/batch", ingest_batch, ACCESS_INGEST, false, true},
    {"POST", "/v1/metrics/batch", ingest_metrics, ACCESS_INGEST, false, true},
    {"POST", "/v1/traces", ingest_otlp_spans, ACCESS_INGEST, false, true},
    {"POST", "/v1/metrics", ingest_otlp_metrics, ACCESS_INGEST, false, true},
    {"POST", "/v1/logs", ingest_otlp_logs, ACCESS_INGEST, false, true},
    {"POST", "/api/public/otel/v1/traces", ingest_otlp_spans, ACCESS_INGEST | ACCESS_COMPAT, false,
     true},
    {"POST", "/api/public/otel/v1/metrics", ingest_otlp_metrics, ACCESS_INGEST, false, true},
    {"POST", "/api/public/otel/v1/logs", ingest_otlp_logs, ACCESS_INGEST, false, true},
    {"POST", "/api/public/ingestion", ingest_ingestion, ACCESS_INGEST | ACCESS_SCORES, false, true},
    {"POST", "/api/public/scores", ingest_score, ACCESS_INGEST | ACCESS_SCORES, false, true},
    {"DELETE", "/api/public/scores/{id}", ingest_score_deletion, ACCESS_MANAGE, false, false},
    {"POST", "/api/public/traces", ingest_legacy_trace, ACCESS_INGEST, false, true},
    {"POST", "/api/public/spans", ingest_legacy_span, ACCESS_INGEST, false, true},
    {"PATCH", "/api/public/spans", ingest_legacy_span_update, ACCESS_INGEST, false, true},
    {"POST", "/api/public/generations", ingest_legacy_generation, ACCESS_INGEST, false, true},
    {"PATCH", "/api/public/generations", ingest_legacy_generation_update, ACCESS_INGEST, false,
     true},
    {"POST", "/api/public/events", ingest_legacy_event, ACCESS_INGEST, false, true},
    {"GET", "/api/public/projects", projects_list, ACCESS_CHECK | ACCESS_COMPAT, false, false},
    {"GET", "/api/public/traces", traces_list, ACCESS_READ, true, false},
    {"GET", "/api/public/traces/{id}", traces_detail, ACCESS_READ, true, false},
    {"DELETE", "/api/public/traces", ingest_deletions, ACCESS_MANAGE, false, true},
    {"DELETE", "/api/public/traces/{id}", ingest_deletion, ACCESS_MANAGE, false, false},
    {"GET", "/api/public/observations", observations_list, ACCESS_READ, true, false},
    {"GET", "/api/public/observations/{id}", observations_detail, ACCESS_READ, true, false},
    {"GET", "/api/public/v2/observations", observations_list_v2, ACCESS_READ, true, false},
    {"GET", "/api/public/sessions", sessions_list, ACCESS_READ, true, false},
    {"GET", "/api/public/sessions/{id}", sessions_detail, ACCESS_READ, true, false},
    {"GET", "/api/public/scores", scores_list_v1, ACCESS_READ, true, false},
    {"GET", "/api/public/scores/{id}", scores_detail_v1, ACCESS_READ, true, false},
    {"GET", "/api/public/v2/scores", scores_list_v2, ACCESS_READ, true, false},
    {"GET", "/api/public/v2/scores/{id}", scores_detail_v2, ACCESS_READ, true, false},
    {"GET", "/api/public/v3/scores", scores_list_v3, ACCESS_READ, true, false},
    {"GET", "/api/public/runs/{id}", runs_detail, ACCESS_READ, true, false},
    {"GET", "/api/public/metrics", metrics_language, ACCESS_READ, true, false},
    {"GET", "/api/public/v2/metrics", metrics_language_v2, ACCESS_READ, true, false},
    {"GET", "/api/public/observations/{id}/cost", cost_explain, ACCESS_READ, true, false},
    {"GET", "/api/public/models", models_list, ACCESS_READ, true, false},
    {"GET", "/api/public/models/{id}", models_detail, ACCESS_READ, true, false},
    {"POST", "/api/public/models", ingest_model, ACCESS_MANAGE, false, true},
    {"DELETE", "/api/public/models/{id}", ingest_model_deletion, ACCESS_MANAGE, false, false},
    {"GET", "/api/public/metrics/daily", metrics_daily, ACCESS_READ, true, false},
    {"GET", "/api/public/metrics/names", metrics_names, ACCESS_READ, true, false},
    {"GET", "/api/public/metrics/query", metrics_query, ACCESS_READ, true, false},
    {"POST", "/api/public/media", uploads_announce, ACCESS_INGEST, false, true},
    {"GET", "/api/public/media/{id}", uploads_missing, ACCESS_READ, true, false},
    {"PATCH", "/api/public/media/{id}", uploads_missing, ACCESS_INGEST, false, true},
    {"GET", "/api/internal/rate_limit_stats", stats_rate_limit, ACCESS_OPERATE, false, false},
    {.method = NULL},
};
