#include "gateway/ingest/ingest_format.h"

#include "common/json_number.h"
#include "gateway/ingest/answer_ingestion.h"
#include "gateway/ingest/answer_otlp.h"
#include "gateway/ingest/answer_records.h"
#include "gateway/ingest/decode_batch.h"
#include "gateway/ingest/decode_deletion.h"
#include "gateway/ingest/decode_ingestion.h"
#include "gateway/ingest/decode_metrics.h"
#include "gateway/ingest/decode_model.h"
#include "gateway/ingest/decode_otlp.h"
#include "gateway/ingest/decode_otlp_logs.h"
#include "gateway/ingest/decode_otlp_metrics.h"
#include "gateway/ingest/ingest.h"
#include "gateway/ingest/media.h"
#include "gateway/reply.h"

enum { REFUSALS_LISTED_MAX = 100 };

static const struct ingest_format format_batch = {
    media_is_json, "application/json", decode_batch, REFUSALS_LISTED_MAX, answer_batch, false, NULL,
};

static const struct ingest_format format_metrics = {
    media_is_json, "application/json", decode_metrics, REFUSALS_LISTED_MAX, answer_metrics, true,
    NULL,
};

static const struct ingest_format format_model = {
    .is_media = media_is_json,
    .media = "application/json",
    .decode = decode_model,
    .max_refusals = 1,
    .answer = answer_model,
    .check = check_model,
};

static const struct ingest_format format_model_deletion = {
    .max_refusals = 1,
    .answer = answer_model_deletion,
    .check = check_model_deletion,
};

/* Of the path: without media and decoder. */
static const struct ingest_format format_deletion = {.max_refusals = 1, .answer = answer_deletion};

static const struct ingest_format format_deletions = {
    media_is_json, "application/json", decode_deletion, 1, answer_deletions, false, NULL,
};

/* The two encodings of a signal of OTLP. */
struct otlp_formats {
    struct ingest_format json;
    struct ingest_format protobuf;
};

#define OTLP_FORMATS(decoder, answerer, keyed)                                                     \
    {                                                                                              \
        {.is_media = media_is_json,                                                                \
         .media = "application/json",                                                              \
         .decode = decoder##_json,                                                                 \
         .max_refusals = REFUSALS_LISTED_MAX,                                                      \
         .answer = answerer##_json,                                                                \
         .takes_key = (keyed),                                                                     \
         .makes_key = (keyed)},                                                                    \
        {                                                                                          \
            .is_media = media_is_protobuf, .media = "application/x-protobuf",                      \
            .decode = decoder##_protobuf, .max_refusals = REFUSALS_LISTED_MAX,                     \
            .answer = answerer##_protobuf, .takes_key = (keyed), .makes_key = (keyed)              \
        }                                                                                          \
    }
static const struct otlp_formats formats_spans =
    OTLP_FORMATS(decode_otlp, answer_otlp_spans, false);
static const struct otlp_formats formats_points =
    OTLP_FORMATS(decode_otlp_metrics, answer_otlp_points, true);
static const struct otlp_formats formats_logs =
    OTLP_FORMATS(decode_otlp_logs, answer_otlp_logs, false);
#undef OTLP_FORMATS

static const struct ingest_format format_ingestion = {
    media_is_json,          "application/json",
    decode_ingestion,       UINT32_MAX, /* clients look each of their events up in the answer */
    answer_ingestion,       false,
    answer_ingestion_error,
};

/* Routes of one body alone. */
#define FORMAT_ENTITY(decoder)                                                                     \
    {                                                                                              \
        media_is_json, "application/json", (decoder), 1, answer_entity, false, NULL,               \
    }
static const struct ingest_format format_score = {
    .is_media = media_is_json,
    .media = "application/json",
    .decode = decode_score,
    .max_refusals = REFUSALS_LISTED_MAX,
    .answer = answer_scores,
};
static const struct ingest_format format_trace = FORMAT_ENTITY(decode_legacy_trace);
static const struct ingest_format format_span = FORMAT_ENTITY(decode_legacy_span);
static const struct ingest_format format_span_update = FORMAT_ENTITY(decode_legacy_span_update);
static const struct ingest_format format_generation = FORMAT_ENTITY(decode_legacy_generation);
static const struct ingest_format format_generation_update =
    FORMAT_ENTITY(decode_legacy_generation_update);
static const struct ingest_format format_event = FORMAT_ENTITY(decode_legacy_event);
#undef FORMAT_ENTITY

/* Of the path: without media and decoder. */
static const struct ingest_format format_score_deletion = {.max_refusals = 1,
                                                           .answer = answer_score_deleted};

void ingest_batch(struct request *request)
{
    ingest_run(request, &format_batch);
}

void ingest_metrics(struct request *request)
{
    ingest_run(request, &format_metrics);
}

void ingest_ingestion(struct request *request)
{
    ingest_run(request, &format_ingestion);
}

void ingest_score(struct request *request)
{
    ingest_run(request, &format_score);
}

void ingest_legacy_trace(struct request *request)
{
    ingest_run(request, &format_trace);
}

void ingest_legacy_span(struct request *request)
{
    ingest_run(request, &format_span);
}

void ingest_legacy_span_update(struct request *request)
{
    ingest_run(request, &format_span_update);
}

void ingest_legacy_generation(struct request *request)
{
    ingest_run(request, &format_generation);
}

void ingest_legacy_generation_update(struct request *request)
{
    ingest_run(request, &format_generation_update);
}

void ingest_legacy_event(struct request *request)
{
    ingest_run(request, &format_event);
}

void ingest_deletions(struct request *request)
{
    ingest_run(request, &format_deletions);
}

/* Langfuse's SDKs say which ingestion they speak: a number up to 4. */
static bool is_known_version(const struct request *request)
{
    struct slice text;
    int64_t version;
    return !request_langfuse_header(request, "ingestion-version", &text) ||
           (json_number_int64(text, &version) && version <= 4);
}

/* An exporter gives up for good only on 400. */
static void run_otlp(struct request *request, const struct otlp_formats *formats)
{
    struct error error;
    struct slice type = request_header(request, H2O_TOKEN_CONTENT_TYPE);
    if (!is_known_version(request)) {
        error_set(&error, ERR_INVALID, "x-langfuse-ingestion-version must be a number up to 4");
        reply_error(request, ERR_INVALID, &error);
    } else if (media_is_json(type)) {
        ingest_run(request, &formats->json);
    } else if (media_is_protobuf(type)) {
        ingest_run(request, &formats->protobuf);
    } else {
        error_set(&error, ERR_INVALID,
                  "Content-Type must be application/json or application/x-protobuf");
        reply_error(request, ERR_INVALID, &error);
    }
}

void ingest_otlp_spans(struct request *request)
{
    run_otlp(request, &formats_spans);
}

void ingest_otlp_metrics(struct request *request)
{
    run_otlp(request, &formats_points);
}

void ingest_otlp_logs(struct request *request)
{
    run_otlp(request, &formats_logs);
}

void ingest_deletion(struct request *request)
{
    ingest_run_deletion(request, &format_deletion, "trace");
}

void ingest_score_deletion(struct request *request)
{
    ingest_run_deletion(request, &format_score_deletion, "score");
}

void ingest_model(struct request *request)
{
    ingest_run(request, &format_model);
}

void ingest_model_deletion(struct request *request)
{
    ingest_run_deletion(request, &format_model_deletion, "model");
}
