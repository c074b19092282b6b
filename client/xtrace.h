/*
 * xtrace.h: the public interface of libxtrace-client, which sends traces, observations and metrics to
 * an xtrace server and reads them back. C11, usable from C++.
 *
 * Handles are opaque. Every call that can fail returns an enum xtrace_status; memory that cannot be
 * had is XTRACE_NO_MEMORY, the library never ends the process and never writes to stdout or stderr.
 *
 * Conventions, unless a function says otherwise:
 * - Text is NUL-terminated UTF-8; bytes that are no UTF-8 are sent as U+FFFD. What is passed in is
 *   borrowed for the time of the call. NULL and "" are different: NULL is "not set".
 * - Times are microseconds since 1970-01-01 UTC (`_us`), 0 is "not set"; durations are milliseconds
 *   (`_ms`) or, where the server's interface has them so, seconds (`_s`).
 * - Pointers must not be NULL unless marked "may be NULL".
 * - A struct xtrace_client may be used by any number of threads at once. Options, responses and
 *   the open structs belong to one thread at a time.
 * - fork(): a client does not survive it, for its thread stays with the parent. In the child every
 *   call on it answers XTRACE_CLOSED and destroy does nothing; make a new client there. The parent
 *   is not affected.
 *
 * Blocking calls: `call` may be NULL for the client's settings. `response` may be NULL when only the
 * status matters; otherwise *response is set whatever the status, to NULL only on XTRACE_NO_MEMORY
 * and on XTRACE_CLOSED in a forked child, and is the caller's to destroy.
 */
#ifndef XTRACE_H
#define XTRACE_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

#define XTRACE_API __attribute__((visibility("default")))
/* A function whose status must be looked at. */
#define XTRACE_CALL XTRACE_API __attribute__((warn_unused_result)) enum xtrace_status

struct xtrace_options;
struct xtrace_client;
struct xtrace_response;

enum xtrace_status {
    XTRACE_OK = 0,
    XTRACE_INVALID,    /* an argument is wrong; nothing was sent */
    XTRACE_NO_MEMORY,  /* nothing was sent, or an answer could not be kept */
    XTRACE_CLOSED,     /* after xtrace_client_shutdown, or in a forked child */
    XTRACE_QUEUE_FULL, /* the background queue is at its bound: the record was dropped and counted */
    XTRACE_DROPPED, /* flush, shutdown: records were lost since the last flush; xtrace_client_stats says how */
    XTRACE_TIMEOUT,     /* the time of the call is up (or 408) */
    XTRACE_UNREACHABLE, /* no connection, a cut answer, TLS, an unknown host */
    XTRACE_REFUSED, /* 400, 413, 415 and the like: the server refused the request or some records */
    XTRACE_UNAUTHORIZED, /* 401, 403 */
    XTRACE_NOT_FOUND,    /* 404, 405: no such thing, or this server has no such route */
    XTRACE_BUSY,         /* 429 */
    XTRACE_UNAVAILABLE,  /* 502, 503, 504 */
    XTRACE_SERVER_ERROR, /* any other 5xx */
    XTRACE_PROTOCOL      /* an answer that is none of ours: a redirect, larger than the bound */
};

/* A stable lower-case text such as "queue full"; never NULL. Thread-safe. */
XTRACE_API const char *xtrace_status_text(enum xtrace_status status);

/* "0.1.0". Thread-safe. */
XTRACE_API const char *xtrace_version(void);

/* Why a call failed, for a person. Never holds credentials or payloads. Every struct xtrace_error *
 * may be NULL; text is "" after a call that succeeded. */
struct xtrace_error {
    char text[256];
};

/* ---- Options --------------------------------------------------------------------------------- */

/* *options is the caller's, with the defaults named below. XTRACE_NO_MEMORY. */
XTRACE_CALL xtrace_options_create(struct xtrace_options **options);

/* NULL is fine. */
XTRACE_API void xtrace_options_destroy(struct xtrace_options *options);

/* The setters copy what they are given. XTRACE_INVALID leaves the options as they were. */

/* http:// or https://, a path prefix and a trailing slash allowed, no user, query or fragment.
 * Default http://127.0.0.1:8080. */
XTRACE_CALL xtrace_options_set_url(struct xtrace_options *options, const char *url);

/* Either a bearer token or a key pair; the last one set counts. Default: no credentials. */
XTRACE_CALL xtrace_options_set_token(struct xtrace_options *options, const char *token);
XTRACE_CALL xtrace_options_set_keys(struct xtrace_options *options, const char *public_key,
                                    const char *secret_key);

/* A PEM file of the certificate authorities to trust instead of the system's. */
XTRACE_CALL xtrace_options_set_ca_file(struct xtrace_options *options, const char *path);

/* connect: default 5000. attempt: one request and its answer, default 15000 (the server itself may
 * hold a write for 10 s while its database is away). call: a blocking call with all its attempts,
 * default 30000. Each at least 1 and at most 86400000. */
XTRACE_CALL xtrace_options_set_timeouts(struct xtrace_options *options, uint32_t connect_ms,
                                        uint32_t attempt_ms, uint32_t call_ms);

/*
 * What is tried again: no connection, cut answers, timeouts of an attempt, 408, 429 and 5xx other
 * than 501 and 505. The n-th wait is a random time between half and all of base_ms * 2^(n-1), at most
 * max_ms, and never shorter than the server's Retry-After; a call whose time would be up by then
 * returns at once instead. Trying again is harmless: the server merges records by id, and metrics
 * carry an idempotency key.
 * attempts: of a blocking call, default 4, 1 = never again. base_ms default 200, max_ms default
 * 10000. give_up_ms: how long the background queue keeps trying one batch, default 300000; then the
 * batch is dropped and counted.
 */
XTRACE_CALL xtrace_options_set_retry(struct xtrace_options *options, uint32_t attempts,
                                     uint32_t base_ms, uint32_t max_ms, uint32_t give_up_ms);

/* Memory of records waiting in the background queue, in bytes; default 16 MiB, at least 4096. At the
 * bound new records are dropped. While a batch is made up its bytes exist twice. */
XTRACE_CALL xtrace_options_set_queue_bytes(struct xtrace_options *options, size_t max_bytes);

/* A background batch leaves when it has max_records (default 200) or max_bytes (default 1 MiB) or
 * its oldest record has waited max_age_ms (default 500; 0 = at once). A request can carry one trace
 * only, so a second one closes the batch too. A record larger than max_bytes travels alone. */
XTRACE_CALL xtrace_options_set_batch(struct xtrace_options *options, uint32_t max_records,
                                     size_t max_bytes, uint32_t max_age_ms);

/* Largest answer that is read, in bytes; default 64 MiB. Beyond it: XTRACE_PROTOCOL. */
XTRACE_CALL xtrace_options_set_max_answer_bytes(struct xtrace_options *options, size_t max_bytes);

/*
 * Hears of background records that were lost: refused by the server, given up after give_up_ms, or
 * left over at shutdown; not of XTRACE_QUEUE_FULL, which the enqueuing call itself answers. Runs on
 * the client's thread, without locks held, at most once a batch; message is valid during the call.
 * It may enqueue; it must not call flush, shutdown or destroy. on_lost may be NULL (the default).
 */
typedef void (*xtrace_on_lost)(void *closure, enum xtrace_status reason, uint64_t records,
                               const char *message);
XTRACE_CALL xtrace_options_set_on_lost(struct xtrace_options *options, xtrace_on_lost on_lost,
                                       void *closure);

/* ---- Client ---------------------------------------------------------------------------------- */

/* Copies the options (NULL: the defaults). No traffic yet; the background thread starts with the
 * first enqueued record. XTRACE_NO_MEMORY, XTRACE_INVALID. */
XTRACE_CALL xtrace_client_create(struct xtrace_client **client,
                                 const struct xtrace_options *options, struct xtrace_error *error);

/* Waits until every record enqueued before this call has been sent or lost; does not wait for
 * max_age_ms. XTRACE_OK: all of them are stored. XTRACE_DROPPED: some were lost, now or since the flush
 * before. XTRACE_TIMEOUT: some are still queued. XTRACE_CLOSED. */
XTRACE_API enum xtrace_status xtrace_client_flush(struct xtrace_client *client,
                                                  uint32_t timeout_ms);

/* As flush, then ends the background thread; what is left by then is dropped and counted. From now on
 * every call on the client but stats, shutdown and destroy is XTRACE_CLOSED; blocking calls that wait
 * for another attempt return. May be called again: XTRACE_OK. */
XTRACE_API enum xtrace_status xtrace_client_shutdown(struct xtrace_client *client,
                                                     uint32_t timeout_ms);

/* Shuts down with no time at all when that was not done. No other call may be running. NULL is fine. */
XTRACE_API void xtrace_client_destroy(struct xtrace_client *client);

/* Since the client was made. accepted = sent + refused + given_up + left_over + queued at any time. */
struct xtrace_stats {
    size_t size;
    uint64_t accepted;   /* records that an enqueue call took */
    uint64_t overflowed; /* records that found the queue full; not among accepted */
    uint64_t sent;       /* records that the server has stored */
    uint64_t refused;    /* records that the server refused */
    uint64_t given_up;   /* records dropped after give_up_ms of failures */
    uint64_t left_over;  /* records dropped by shutdown */
    uint64_t batches;    /* background requests that the server answered for good */
    uint64_t retries;    /* background attempts that will be made again */
    uint64_t queued;     /* records waiting or on their way now */
    uint64_t queued_bytes;
};

/* stats->size must be set (xtrace_stats_init). XTRACE_INVALID otherwise. */
XTRACE_API enum xtrace_status xtrace_client_stats(struct xtrace_client *client,
                                                  struct xtrace_stats *stats);

/* ---- Records --------------------------------------------------------------------------------- */

/*
 * Start from the *_init functions below: they mark every field as not set, and `size` lets these
 * structs grow in later versions. Fields that are not set leave stored values as they are.
 * `_json` is JSON text (one value, nested at most 128 deep) and goes out byte for byte; `_text` is
 * plain text. Of such a pair set one.
 */
#define XTRACE_UNSET_NUMBER  ((double)NAN)
#define XTRACE_UNSET_INTEGER INT64_MIN

enum xtrace_flag { XTRACE_FLAG_UNSET = 0, XTRACE_NO = 1, XTRACE_YES = 2 };

struct xtrace_trace {
    size_t size;
    const char *id; /* required: a UUID (xtrace_new_id) */
    int64_t timestamp_us;
    const char *name;
    const char *user_id;
    const char *session_id;
    const char *release;
    const char *version;
    const char *environment;
    const char *external_id;
    const char *input_json;
    const char *input_text;
    const char *output_json;
    const char *output_text;
    const char *metadata_json;
    const char *const *tags;
    size_t tag_count;
    enum xtrace_flag is_public;
    enum xtrace_flag is_bookmarked;
    double latency_s;
    double total_cost;
};

struct xtrace_observation {
    size_t size;
    const char *id; /* required: a UUID */
    const char
        *trace_id; /* required: a UUID; the trace may be sent before, with it, later or never */
    const char *parent_id;
    const char *type; /* GENERATION, SPAN, EVENT, ...; not set: GENERATION */
    const char *name;
    int64_t start_us;
    int64_t end_us;
    int64_t completion_start_us;
    const char *model;
    const char *model_id;
    const char *model_parameters_json;
    const char *input_json;
    const char *input_text;
    const char *output_json;
    const char *output_text;
    const char *usage_json;
    const char *metadata_json;
    const char *level; /* DEBUG, DEFAULT, WARNING, ERROR */
    const char *status_message;
    const char *prompt_id;
    const char *prompt_name;
    const char *prompt_version;
    const char *unit;
    const char *environment;
    int64_t prompt_tokens;
    int64_t completion_tokens;
    int64_t total_tokens;
    double input_price;
    double output_price;
    double total_price;
    double calculated_input_cost;
    double calculated_output_cost;
    double calculated_total_cost;
    double latency_s;
    double time_to_first_token_s;
};

struct xtrace_label {
    const char *key;
    const char *value;
};

struct xtrace_metric {
    size_t size;
    const char *name; /* required */
    const struct xtrace_label *labels;
    size_t label_count;
    double value;         /* required, finite */
    int64_t timestamp_us; /* not set: the time of the call */
};

/* Microseconds since 1970. Thread-safe. */
XTRACE_API int64_t xtrace_now_us(void);

enum { XTRACE_ID_SIZE = 37 };
/* A random UUID with its NUL. Thread-safe. */
XTRACE_API void xtrace_new_id(char id[XTRACE_ID_SIZE]);

/* ---- Background: never blocks on the network ------------------------------------------------- */

/* The record is encoded and copied before these return. XTRACE_INVALID (error names the field),
 * XTRACE_QUEUE_FULL, XTRACE_NO_MEMORY, XTRACE_CLOSED: the record was not taken. */
XTRACE_API enum xtrace_status xtrace_enqueue_trace(struct xtrace_client *client,
                                                   const struct xtrace_trace *trace,
                                                   struct xtrace_error *error);
XTRACE_API enum xtrace_status
xtrace_enqueue_observation(struct xtrace_client *client,
                           const struct xtrace_observation *observation,
                           struct xtrace_error *error);
XTRACE_API enum xtrace_status xtrace_enqueue_metric(struct xtrace_client *client,
                                                    const struct xtrace_metric *metric,
                                                    struct xtrace_error *error);

/* ---- Blocking calls -------------------------------------------------------------------------- */

struct xtrace_call {
    size_t size;
    uint32_t timeout_ms;         /* all attempts together; 0: the client's call_ms */
    uint32_t attempts;           /* 0: the client's; 1: never again */
    const char *idempotency_key; /* metrics only; not set: a random one for each call */
};

/* One trace (may be NULL) and its observations, count of them from the first element on. XTRACE_OK:
 * all are stored. XTRACE_REFUSED: the response names the refused records; the others are stored. */
XTRACE_CALL xtrace_send_batch(struct xtrace_client *client, const struct xtrace_trace *trace,
                              const struct xtrace_observation *observations, size_t count,
                              const struct xtrace_call *call, struct xtrace_response **response);

XTRACE_CALL xtrace_send_metrics(struct xtrace_client *client, const struct xtrace_metric *metrics,
                                size_t count, const struct xtrace_call *call,
                                struct xtrace_response **response);

/* Ready-made bodies of the two routes ({"trace","observations"} and {"metrics"}), len bytes, not
 * looked at. */
XTRACE_CALL xtrace_send_batch_json(struct xtrace_client *client, const char *body, size_t len,
                                   const struct xtrace_call *call,
                                   struct xtrace_response **response);
XTRACE_CALL xtrace_send_metrics_json(struct xtrace_client *client, const char *body, size_t len,
                                     const struct xtrace_call *call,
                                     struct xtrace_response **response);

/* health: the server's process is up. ready: its database can be reached, else XTRACE_UNAVAILABLE. */
XTRACE_CALL xtrace_healthz(struct xtrace_client *client, const struct xtrace_call *call,
                           struct xtrace_response **response);
XTRACE_CALL xtrace_readyz(struct xtrace_client *client, const struct xtrace_call *call,
                          struct xtrace_response **response);

/* Filters are ANDed; what is not set does not filter, "" filters for the empty string. Both ends of a
 * time range are inclusive. The server clamps page to >= 1 and limit to 1..200; 0 is "not set". A query
 * may be NULL: nothing is set. */
struct xtrace_trace_query {
    size_t size;
    int64_t page;
    int64_t limit; /* server's default 50 */
    const char *user_id;
    const char *name;
    const char *session_id;
    const char *version;
    const char *release;
    int64_t from_us;
    int64_t to_us;
    const char *const *tags; /* the trace has all of them */
    size_t tag_count;
    const char *const *environments; /* any of them */
    size_t environment_count;
    const char *order_by; /* "timestamp.desc", ... */
    const char *fields;   /* "core,io,scores,observations,metrics" or a part of it */
    const char *turn_id;  /* in the metadata of the trace or of an observation */
    const char *run_id;
    /* JSON: [{"type":"number","column":"latency","operator":">","value":2}, ...], all of which hold. */
    const char *filter_json;
};

/* Answer: {"data":[trace],"meta":{"page","limit","totalItems","totalPages"}}. */
XTRACE_CALL xtrace_list_traces(struct xtrace_client *client, const struct xtrace_trace_query *query,
                               const struct xtrace_call *call, struct xtrace_response **response);

/* Answer: the trace with its observations. XTRACE_NOT_FOUND. */
XTRACE_CALL xtrace_get_trace(struct xtrace_client *client, const char *id,
                             const struct xtrace_call *call, struct xtrace_response **response);

struct xtrace_session_query {
    size_t size;
    int64_t page;
    int64_t limit;
    int64_t from_us;
    int64_t to_us;
    const char *const *environments;
    size_t environment_count;
};

XTRACE_CALL xtrace_list_sessions(struct xtrace_client *client,
                                 const struct xtrace_session_query *query,
                                 const struct xtrace_call *call, struct xtrace_response **response);
XTRACE_CALL xtrace_get_session(struct xtrace_client *client, const char *id,
                               const struct xtrace_call *call, struct xtrace_response **response);

/* Answer: how a run (run_id in metadata) stands: "status", times, counts, "latest" step.
 * XTRACE_NOT_FOUND. */
XTRACE_CALL xtrace_get_run(struct xtrace_client *client, const char *id,
                           const struct xtrace_call *call, struct xtrace_response **response);

struct xtrace_daily_query {
    size_t size;
    int64_t page;
    int64_t limit;
    const char *trace_name;
    const char *user_id;
    const char *version;
    const char *release;
    const char *const *tags;
    size_t tag_count;
    int64_t from_us; /* server's default: to - 30 days */
    int64_t to_us;   /* server's default: now */
};

/* Answer: {"data":[day],"meta":{...}}, newest day first. */
XTRACE_CALL xtrace_daily_metrics(struct xtrace_client *client,
                                 const struct xtrace_daily_query *query,
                                 const struct xtrace_call *call, struct xtrace_response **response);

/* Answer: {"data":[name]}. */
XTRACE_CALL xtrace_metric_names(struct xtrace_client *client, const struct xtrace_call *call,
                                struct xtrace_response **response);

struct xtrace_metric_query {
    size_t size;
    const char *name;                  /* required */
    int64_t from_us;                   /* server's default: to - 1 h */
    int64_t to_us;                     /* server's default: now */
    const struct xtrace_label *labels; /* the series has all of them */
    size_t label_count;
    const char *step;     /* 1m 5m 1h 1d */
    const char *agg;      /* avg max min sum last p50 p90 p99 */
    const char *group_by; /* a label key */
};

/* Answer: {"data":[{"labels","values":[{"timestamp","value"}]}],"meta":{...}}. */
XTRACE_CALL xtrace_query_metrics(struct xtrace_client *client,
                                 const struct xtrace_metric_query *query,
                                 const struct xtrace_call *call, struct xtrace_response **response);

/* GET of any path of the server, beginning with '/', already percent-encoded. */
XTRACE_CALL xtrace_get(struct xtrace_client *client, const char *path_and_query,
                       const struct xtrace_call *call, struct xtrace_response **response);

/* ---- Responses ------------------------------------------------------------------------------- */

/* What these return lives as long as the response. */

/* The body as it came, NUL-terminated; "" when there is none, never NULL. len may be NULL. */
XTRACE_API const char *xtrace_response_body(const struct xtrace_response *response, size_t *len);
/* 200, 404, ...; 0 when no answer came. */
XTRACE_API int xtrace_response_http_status(const struct xtrace_response *response);
/* For a person: the server's words, or what went wrong on the way. Never NULL. */
XTRACE_API const char *xtrace_response_message(const struct xtrace_response *response);
/* The server's error code such as "BAD_REQUEST"; "" when there is none. */
XTRACE_API const char *xtrace_response_code(const struct xtrace_response *response);
/* Requests made, the last one included. */
XTRACE_API uint32_t xtrace_response_attempts(const struct xtrace_response *response);
/* The server's Retry-After; 0 when there is none. */
XTRACE_API uint64_t xtrace_response_retry_after_ms(const struct xtrace_response *response);

/* Refused records of a batch: the server names at most the first hundred. */
struct xtrace_refusal {
    const char *path;    /* "observations[3].startTime" */
    const char *id;      /* "" when the record has none */
    const char *message; /* why */
};
XTRACE_API size_t xtrace_response_refusal_count(const struct xtrace_response *response);
/* False when index is out of range. */
XTRACE_API bool xtrace_response_refusal(const struct xtrace_response *response, size_t index,
                                        struct xtrace_refusal *refusal);
/* NULL is fine. */
XTRACE_API void xtrace_response_destroy(struct xtrace_response *response);

/* ---- Structs with nothing set ---------------------------------------------------------------- */

#define XTRACE_DEFINE_INIT(type)                                                                   \
    static inline struct type type##_init(void)                                                    \
    {                                                                                              \
        struct type value;                                                                         \
        memset(&value, 0, sizeof(value));                                                          \
        value.size = sizeof(value);                                                                \
        return value;                                                                              \
    }
XTRACE_DEFINE_INIT(xtrace_stats)
XTRACE_DEFINE_INIT(xtrace_call)
XTRACE_DEFINE_INIT(xtrace_trace_query)
XTRACE_DEFINE_INIT(xtrace_session_query)
XTRACE_DEFINE_INIT(xtrace_daily_query)
XTRACE_DEFINE_INIT(xtrace_metric_query)
#undef XTRACE_DEFINE_INIT

static inline struct xtrace_trace xtrace_trace_init(void)
{
    struct xtrace_trace trace;
    memset(&trace, 0, sizeof(trace));
    trace.size = sizeof(trace);
    trace.latency_s = trace.total_cost = XTRACE_UNSET_NUMBER;
    return trace;
}

static inline struct xtrace_observation xtrace_observation_init(void)
{
    struct xtrace_observation o;
    memset(&o, 0, sizeof(o));
    o.size = sizeof(o);
    o.prompt_tokens = o.completion_tokens = o.total_tokens = XTRACE_UNSET_INTEGER;
    o.input_price = o.output_price = o.total_price = XTRACE_UNSET_NUMBER;
    o.calculated_input_cost = o.calculated_output_cost = XTRACE_UNSET_NUMBER;
    o.calculated_total_cost = XTRACE_UNSET_NUMBER;
    o.latency_s = o.time_to_first_token_s = XTRACE_UNSET_NUMBER;
    return o;
}

static inline struct xtrace_metric xtrace_metric_init(void)
{
    struct xtrace_metric metric;
    memset(&metric, 0, sizeof(metric));
    metric.size = sizeof(metric);
    metric.value = XTRACE_UNSET_NUMBER;
    return metric;
}

#ifdef __cplusplus
}
#endif

#endif
