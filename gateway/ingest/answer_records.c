#include "gateway/ingest/answer_records.h"

#include <stdio.h>

#include "common/json_write.h"
#include "common/log.h"
#include "gateway/reply.h"

/* ---- the answers of /v1/l/batch and /v1/metrics/batch ---- */

static void write_refusal(struct buf *out, const struct collect_refusal *refusal)
{
    struct buf path = BUF_EMPTY;
    collect_refusal_path(refusal, &path);
    buf_append_text(out, "{\"path\":");
    json_write_string(out, buf_slice(&path));
    buf_finish(&path);
    if (refusal->id.len > 0) {
        buf_append_text(out, ",\"id\":");
        json_write_string(out, refusal->id);
    }
    buf_append_text(out, ",\"message\":");
    json_write_string(out, refusal->reason);
    buf_append_char(out, '}');
}

/* "2 of 5 records were refused: observations[3].startTime: not an RFC 3339 time with an offset" */
static void describe_refusals(const struct collect *collect, struct error *error)
{
    struct collect_refusal first = collect_refusal(collect, 0);
    struct buf path = BUF_EMPTY;
    collect_refusal_path(&first, &path);
    error_set(error, ERR_INVALID, "%u of %u records were refused: %.*s: %.*s",
              collect->refused_count, collect->record_count, (int)path.len, path.data,
              (int)first.reason.len, first.reason.data);
    buf_finish(&path);
}

/* stored: a JSON object of counts. */
static void answer_records(struct request *request, const struct collect *collect,
                           const char *stored)
{
    if (collect->refused_count == 0) {
        reply_json(request, 200, SLICE_LITERAL("{\"message\":\"Request Successful.\"}"));
        return;
    }
    struct error error;
    struct buf extra = BUF_EMPTY;
    describe_refusals(collect, &error);
    buf_append_text(&extra, "\"errors\":[");
    for (uint32_t i = 0; i < collect->refusal_count; i++) {
        struct collect_refusal refusal = collect_refusal(collect, i);
        if (i > 0) {
            buf_append_char(&extra, ',');
        }
        write_refusal(&extra, &refusal);
    }
    buf_printf(&extra, "],\"stored\":%s", stored);
    log_event(LOG_DEBUG, "records refused", "request", request->id, "reason", error.text, NULL);
    reply_error_with(request, ERR_INVALID, &error, buf_slice(&extra));
    buf_finish(&extra);
}

void answer_batch(struct request *request, const struct collect *collect)
{
    char stored[64];
    snprintf(stored, sizeof(stored), "{\"traces\":%u,\"observations\":%u}",
             collect_count_stored(collect, ROW_TRACE),
             collect_count_stored(collect, ROW_OBSERVATION));
    answer_records(request, collect, stored);
}

void answer_metrics(struct request *request, const struct collect *collect)
{
    char stored[32];
    snprintf(stored, sizeof(stored), "{\"metrics\":%u}", collect_count_stored(collect, ROW_METRIC));
    answer_records(request, collect, stored);
}

/* ---- the answers of what is done whole or not at all ---- */

static void answer_whole(struct request *request, const struct collect *collect, struct slice body)
{
    struct error error;
    if (collect->refused_count == 0) {
        reply_json(request, 200, body);
    } else {
        describe_refusals(collect, &error);
        reply_error(request, ERR_INVALID, &error);
    }
}

void answer_deletion(struct request *request, const struct collect *collect)
{
    answer_whole(request, collect, SLICE_LITERAL("{\"message\":\"Trace deleted successfully\"}"));
}

void answer_deletions(struct request *request, const struct collect *collect)
{
    answer_whole(request, collect, SLICE_LITERAL("{\"message\":\"Traces deleted successfully\"}"));
}

/* ---- the answers of models ---- */

void answer_model(struct request *request, const struct collect *collect)
{
    answer_whole(request, collect, buf_slice(&collect->note));
}

void answer_model_deletion(struct request *request, const struct collect *collect)
{
    answer_whole(request, collect, SLICE_LITERAL("{\"message\":\"Model successfully deleted\"}"));
}
