#include "gateway/ingest/answer_otlp.h"

#include "common/json_write.h"
#include "common/log.h"
#include "gateway/reply.h"

enum { REFUSALS_NAMED_MAX = 5 };

/* What a signal calls its records. In protobuf the fields' numbers are the same. */
struct words {
    const char *records;
    const char *rejected;
};

static const struct words spans = {"spans", "rejectedSpans"};
static const struct words points = {"data points", "rejectedDataPoints"};
static const struct words logs = {"log records", "rejectedLogRecords"};

/* "2 of 5 spans were refused: spans[3].traceId (00f067aa0ba902b7): missing, or all zero; ..." */
static void describe(const struct words *words, const struct collect *collect, struct buf *out)
{
    buf_printf(out, "%u of %u %s were refused: ", collect->refused_count,
               collect->record_count + collect->ignored_count, words->records);
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

/* What was rejected is a number: OTLP receivers take that as well as the string that protobuf's JSON
 * would have, and OpenTelemetry's JavaScript types know only that. */
static void print_partial_success(const struct words *words, const struct collect *collect,
                                  struct slice text, struct buf *out)
{
    buf_printf(out, "\"partialSuccess\":{\"%s\":%u,\"errorMessage\":", words->rejected,
               collect->refused_count);
    json_write_string(out, text);
    buf_append_char(out, '}');
}

/* True: answered, for there is no record that was stored or accepted. */
static bool answer_all_refused(struct request *request, const struct words *words,
                               const struct collect *collect, struct slice text)
{
    struct error error;
    struct buf extra = BUF_EMPTY;
    log_event(LOG_DEBUG, "records refused", "request", request->id, "reason",
              arena_text(&request->arena, text), NULL);
    if (collect->refused_count < collect->record_count + collect->ignored_count) {
        return false;
    }
    error_set(&error, ERR_INVALID, "%.*s", (int)text.len, text.data);
    print_partial_success(words, collect, text, &extra);
    reply_error_with(request, ERR_INVALID, &error, buf_slice(&extra));
    buf_finish(&extra);
    return true;
}

static void answer_json(struct request *request, const struct words *words,
                        const struct collect *collect)
{
    struct buf text = BUF_EMPTY;
    struct buf body = BUF_EMPTY;
    if (collect->refused_count == 0) {
        reply_json(request, 200, SLICE_LITERAL("{}"));
        return;
    }
    describe(words, collect, &text);
    if (!answer_all_refused(request, words, collect, buf_slice(&text))) {
        buf_append_char(&body, '{');
        print_partial_success(words, collect, buf_slice(&text), &body);
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

static void answer_protobuf(struct request *request, const struct words *words,
                            const struct collect *collect)
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
    describe(words, collect, &text);
    if (!answer_all_refused(request, words, collect, buf_slice(&text))) {
        pack_partial_success(collect, buf_slice(&text), &body);
        reply_text(request, 200, type, buf_slice(&body));
    }
    buf_finish(&body);
    buf_finish(&text);
}

void answer_otlp_spans_json(struct request *request, const struct collect *collect)
{
    answer_json(request, &spans, collect);
}

void answer_otlp_spans_protobuf(struct request *request, const struct collect *collect)
{
    answer_protobuf(request, &spans, collect);
}

void answer_otlp_points_json(struct request *request, const struct collect *collect)
{
    answer_json(request, &points, collect);
}

void answer_otlp_points_protobuf(struct request *request, const struct collect *collect)
{
    answer_protobuf(request, &points, collect);
}

void answer_otlp_logs_json(struct request *request, const struct collect *collect)
{
    answer_json(request, &logs, collect);
}

void answer_otlp_logs_protobuf(struct request *request, const struct collect *collect)
{
    answer_protobuf(request, &logs, collect);
}
