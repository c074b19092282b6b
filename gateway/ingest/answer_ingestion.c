#include "gateway/ingest/answer_ingestion.h"

#include "common/json_write.h"
#include "common/log.h"
#include "gateway/reply.h"

static void write_id(struct buf *out, struct slice id)
{
    buf_append_text(out, "{\"id\":");
    json_write_string(out, id.len > 0 ? id : SLICE_LITERAL("unknown"));
}

/* "body.startTime: not an RFC 3339 time with an offset" */
static void write_reason(struct buf *out, const struct collect_refusal *refusal)
{
    struct buf text = BUF_EMPTY;
    if (refusal->field.len > 0) {
        buf_append_slice(&text, refusal->field);
        buf_append_text(&text, ": ");
    }
    buf_append_slice(&text, refusal->reason);
    json_write_string(out, buf_slice(&text));
    buf_finish(&text);
}

static void write_refusal(struct buf *out, const struct collect_refusal *refusal)
{
    write_id(out, refusal->id);
    buf_printf(out, ",\"status\":%d,\"message\":\"%s\",\"error\":", reply_status(refusal->err),
               refusal->err == ERR_UNAUTHORIZED ? "Authentication error" : "Invalid request data");
    write_reason(out, refusal);
    buf_append_char(out, '}');
}

void answer_ingestion(struct request *request, const struct collect *collect)
{
    struct buf body = BUF_EMPTY;
    const char *comma = "";
    buf_append_text(&body, "{\"successes\":[");
    for (uint32_t i = 0; i < collect->record_count; i++) {
        if (!collect_is_refused(collect, i)) {
            buf_append_text(&body, comma);
            write_id(&body, collect_record_id(collect, i));
            buf_append_text(&body, ",\"status\":201}");
            comma = ",";
        }
    }
    buf_append_text(&body, "],\"errors\":[");
    for (uint32_t i = 0; i < collect->refusal_count; i++) {
        struct collect_refusal refusal = collect_refusal(collect, i);
        buf_append_text(&body, i > 0 ? "," : "");
        write_refusal(&body, &refusal);
    }
    buf_append_text(&body, "]}");
    if (collect->refused_count > 0) {
        log_event(LOG_DEBUG, "events refused", "request", request->id, "count",
                  log_text("%u", collect->refused_count), NULL);
    }
    reply_json(request, 207, buf_slice(&body));
    buf_finish(&body);
}

void answer_ingestion_error(struct request *request, enum err err, const struct error *error)
{
    if (err != ERR_INVALID) {
        reply_error(request, err, error);
        return;
    }
    struct error message;
    struct buf extra = BUF_EMPTY;
    error_set(&message, err, "Invalid request data");
    buf_append_text(&extra, "\"errors\":[");
    json_write_string(&extra, slice_from(error->text));
    buf_append_char(&extra, ']');
    reply_error_with(request, err, &message, buf_slice(&extra));
    buf_finish(&extra);
}

static bool answer_refused(struct request *request, const struct collect *collect)
{
    if (collect->refused_count == 0) {
        return false;
    }
    struct collect_refusal refusal = collect_refusal(collect, 0);
    struct error error;
    error_set(&error, refusal.err, "%.*s%s%.*s", (int)refusal.field.len, refusal.field.data,
              refusal.field.len > 0 ? ": " : "", (int)refusal.reason.len, refusal.reason.data);
    reply_error(request, refusal.err, &error);
    return true;
}

void answer_entity(struct request *request, const struct collect *collect)
{
    if (answer_refused(request, collect)) {
        return;
    }
    struct buf body = BUF_EMPTY;
    write_id(&body, collect_record_id(collect, 0));
    buf_append_char(&body, '}');
    reply_json(request, 200, buf_slice(&body));
    buf_finish(&body);
}

/* {"message":"scores[3] (id): value: ..."} */
static void write_score_refusal(struct buf *out, const struct collect_refusal *refusal)
{
    struct buf text = BUF_EMPTY;
    collect_refusal_path(refusal, &text);
    if (refusal->id.len > 0) {
        buf_append_text(&text, " (");
        buf_append_slice(&text, refusal->id);
        buf_append_char(&text, ')');
    }
    buf_append_text(&text, ": ");
    buf_append_slice(&text, refusal->reason);
    buf_append_text(out, "{\"message\":");
    json_write_string(out, buf_slice(&text));
    buf_append_char(out, '}');
    buf_finish(&text);
}

void answer_scores(struct request *request, const struct collect *collect)
{
    struct buf body = BUF_EMPTY;
    if (collect_is_alone(collect)) {
        answer_entity(request, collect);
        return;
    }
    if (collect->refused_count == 0) {
        reply_json(request, 202, SLICE_LITERAL("{\"message\":\"Accepted\"}"));
        return;
    }
    buf_printf(&body, "{\"accepted\":%u,\"rejected\":%u,\"errors\":[",
               collect->record_count - collect->refused_count, collect->refused_count);
    for (uint32_t i = 0; i < collect->refusal_count; i++) {
        struct collect_refusal refusal = collect_refusal(collect, i);
        buf_append_text(&body, i > 0 ? "," : "");
        write_score_refusal(&body, &refusal);
    }
    buf_append_text(&body, "]}");
    reply_json(request, 207, buf_slice(&body));
    buf_finish(&body);
}

void answer_score_deleted(struct request *request, const struct collect *collect)
{
    if (!answer_refused(request, collect)) {
        reply_json(request, 202, SLICE_LITERAL("{\"message\":\"Score deleted successfully\"}"));
    }
}
