#include "gateway/ingest/answer_otlp.h"

#include "common/json_write.h"
#include "common/log.h"
#include "gateway/reply.h"

enum { REFUSALS_NAMED_MAX = 5 };

/* "2 of 5 spans were refused: spans[3].traceId (00f067aa0ba902b7): missing, or all zero; ..." */
static void describe(const struct collect *collect, struct buf *out)
{
    buf_printf(out, "%u of %u spans were refused: ", collect->refused_count, collect->record_count);
    for (uint32_t i = 0; i < collect->refusal_count && i < REFUSALS_NAMED_MAX; i++) {
        struct collect_refusal refusal = collect_refusal(collect, i);
        buf_append_text(out, i > 0 ? "; " : "");
        collect_refusal_path(&refusal, out);
        if (refusal.id.len > 0) {
            buf_append_text(out, " (");
            buf_append_slice(out, refusal.id);
            buf_append_char(out, ')');
        }
        buf_append_text(out, ": ");
        buf_append_slice(out, refusal.reason);
    }
    buf_append_text(out, collect->refused_count > REFUSALS_NAMED_MAX ? "; ..." : "");
}

/* rejectedSpans is a number: OTLP receivers take that as well as the string that protobuf's JSON
 * would have, and OpenTelemetry's JavaScript types know only that. */
static void print_partial_success(const struct collect *collect, struct slice text, struct buf *out)
{
    buf_printf(
        out, "\"partialSuccess\":{\"rejectedSpans\":%u,\"errorMessage\":", collect->refused_count);
    json_write_string(out, text);
    buf_append_char(out, '}');
}

/* True: answered, for there is no span that was stored. */
static bool answer_all_refused(struct request *request, const struct collect *collect,
                               struct slice text)
{
    struct error error;
    struct buf extra = BUF_EMPTY;
    log_event(LOG_DEBUG, "spans refused", "request", request->id, "reason",
              arena_text(&request->arena, text), NULL);
    if (collect->refused_count < collect->record_count) {
        return false;
    }
    error_set(&error, ERR_INVALID, "%.*s", (int)text.len, text.data);
    print_partial_success(collect, text, &extra);
    reply_error_with(request, ERR_INVALID, &error, buf_slice(&extra));
    buf_finish(&extra);
    return true;
}

void answer_otlp_json(struct request *request, const struct collect *collect)
{
    struct buf text = BUF_EMPTY;
    struct buf body = BUF_EMPTY;
    if (collect->refused_count == 0) {
        reply_json(request, 200, SLICE_LITERAL("{}"));
        return;
    }
    describe(collect, &text);
    if (!answer_all_refused(request, collect, buf_slice(&text))) {
        buf_append_char(&body, '{');
        print_partial_success(collect, buf_slice(&text), &body);
        buf_append_char(&body, '}');
        reply_json(request, 200, buf_slice(&body));
    }
    buf_finish(&body);
    buf_finish(&text);
}

static void append_varint(struct buf *out, uint64_t value)
{
    for (; value >= 0x80; value >>= 7) {
        buf_append_char(out, (char)((value & 0x7f) | 0x80));
    }
    buf_append_char(out, (char)value);
}

/* Field 1 of the response: rejected_spans = 1, error_message = 2. */
static void pack_partial_success(const struct collect *collect, struct slice text, struct buf *out)
{
    struct buf inner = BUF_EMPTY;
    buf_append_char(&inner, 0x08);
    append_varint(&inner, collect->refused_count);
    buf_append_char(&inner, 0x12);
    append_varint(&inner, text.len);
    buf_append_slice(&inner, text);
    buf_append_char(out, 0x0a);
    append_varint(out, inner.len);
    buf_append_slice(out, buf_slice(&inner));
    buf_finish(&inner);
}

void answer_otlp_protobuf(struct request *request, const struct collect *collect)
{
    static const char type[] = "application/x-protobuf";
    struct buf text = BUF_EMPTY;
    struct buf body = BUF_EMPTY;
    if (collect->refused_count == 0) {
        /* An empty message is no bytes, but still of this type. */
        reply_header(request, "content-type", type);
        reply_text(request, 200, type, (struct slice){NULL, 0});
        return;
    }
    describe(collect, &text);
    if (!answer_all_refused(request, collect, buf_slice(&text))) {
        pack_partial_success(collect, buf_slice(&text), &body);
        reply_text(request, 200, type, buf_slice(&body));
    }
    buf_finish(&body);
    buf_finish(&text);
}
