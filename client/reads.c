/* reads: the blocking calls that ask: a query struct -> path and query string. */
#include <string.h>

#include "client/client.h"
#include "client/encode.h"
#include "client/system.h"

static void put_name(struct xtrace_text *target, const char *name)
{
    bool is_first = target->failed || strchr(target->data, '?') == NULL;
    xtrace_text_printf(target, "%s%s=", is_first ? "?" : "&", name);
}

/* value NULL: not set. */
static void put_text(struct xtrace_text *target, const char *name, const char *value)
{
    if (value != NULL) {
        put_name(target, name);
        xtrace_text_put_url(target, value);
    }
}

static void put_texts(struct xtrace_text *target, const char *name, const char *const *values,
                      size_t count)
{
    for (size_t i = 0; i < count; i++) {
        put_text(target, name, values[i]);
    }
}

static void put_integer(struct xtrace_text *target, const char *name, int64_t value)
{
    if (value != 0) {
        put_name(target, name);
        xtrace_text_printf(target, "%lld", (long long)value);
    }
}

/* False for a time that cannot be written. */
static bool put_time(struct xtrace_text *target, const char *name, int64_t time_us)
{
    if (time_us == 0) {
        return true;
    }
    put_name(target, name);
    return xtrace_text_put_time(target, time_us);
}

static bool put_range(struct xtrace_text *target, int64_t from_us, int64_t to_us)
{
    return put_time(target, "fromTimestamp", from_us) && put_time(target, "toTimestamp", to_us);
}

static enum xtrace_status get(struct xtrace_client *client, struct xtrace_text *target,
                              const char *wrong, const struct xtrace_call *call,
                              struct xtrace_response **response)
{
    struct xtrace_exchange exchange;
    enum xtrace_status status = xtrace_exchange_begin(&exchange, client, call, response);
    if (status == XTRACE_OK && wrong == NULL) {
        exchange.call.idempotency_key = NULL;
        return xtrace_exchange_perform(&exchange, target, NULL, response);
    }
    xtrace_text_finish(target);
    return status == XTRACE_OK ? xtrace_exchange_fail(&exchange, XTRACE_INVALID, wrong, response)
                               : status;
}

static struct xtrace_text path(const char *words)
{
    struct xtrace_text target = XTRACE_TEXT_EMPTY;
    xtrace_text_puts(&target, words);
    return target;
}

/* The query's own copy, or what is wrong with it; NULL: nothing is set. */
#define TAKE_FROM(own, least, theirs)                                                              \
    ((theirs) == NULL || xtrace_take_struct(&(own), sizeof(own), least, theirs)                    \
         ? NULL                                                                                    \
         : "query: begin with its _init()")
#define TAKE(own, theirs) TAKE_FROM(own, sizeof(own), theirs)

static const char wrong_time[] = "a time outside the years 1 to 9999";

enum xtrace_status xtrace_healthz(struct xtrace_client *client, const struct xtrace_call *call,
                                  struct xtrace_response **response)
{
    struct xtrace_text target = path("/healthz");
    return get(client, &target, NULL, call, response);
}

enum xtrace_status xtrace_readyz(struct xtrace_client *client, const struct xtrace_call *call,
                                 struct xtrace_response **response)
{
    struct xtrace_text target = path("/readyz");
    return get(client, &target, NULL, call, response);
}

enum xtrace_status xtrace_list_traces(struct xtrace_client *client,
                                      const struct xtrace_trace_query *query,
                                      const struct xtrace_call *call,
                                      struct xtrace_response **response)
{
    struct xtrace_trace_query q = xtrace_trace_query_init();
    const char *wrong = TAKE_FROM(q, offsetof(struct xtrace_trace_query, turn_id), query);
    struct xtrace_text target = path("/api/public/traces");
    put_integer(&target, "page", q.page);
    put_integer(&target, "limit", q.limit);
    put_text(&target, "userId", q.user_id);
    put_text(&target, "name", q.name);
    put_text(&target, "sessionId", q.session_id);
    put_text(&target, "version", q.version);
    put_text(&target, "release", q.release);
    put_texts(&target, "tags", q.tags, q.tag_count);
    put_texts(&target, "environment", q.environments, q.environment_count);
    put_text(&target, "orderBy", q.order_by);
    put_text(&target, "fields", q.fields);
    put_text(&target, "turnId", q.turn_id);
    put_text(&target, "runId", q.run_id);
    put_text(&target, "filter", q.filter_json);
    if (!put_range(&target, q.from_us, q.to_us)) {
        wrong = wrong_time;
    }
    return get(client, &target, wrong, call, response);
}

/* One thing by its id, whatever characters that has. */
static enum xtrace_status get_by_id(struct xtrace_client *client, const char *words, const char *id,
                                    const struct xtrace_call *call,
                                    struct xtrace_response **response)
{
    struct xtrace_text target = path(words);
    xtrace_text_put_url(&target, id);
    return get(client, &target, *id == '\0' ? "id: empty" : NULL, call, response);
}

enum xtrace_status xtrace_get_trace(struct xtrace_client *client, const char *id,
                                    const struct xtrace_call *call,
                                    struct xtrace_response **response)
{
    return get_by_id(client, "/api/public/traces/", id, call, response);
}

enum xtrace_status xtrace_list_sessions(struct xtrace_client *client,
                                        const struct xtrace_session_query *query,
                                        const struct xtrace_call *call,
                                        struct xtrace_response **response)
{
    struct xtrace_session_query q = xtrace_session_query_init();
    const char *wrong = TAKE(q, query);
    struct xtrace_text target = path("/api/public/sessions");
    put_integer(&target, "page", q.page);
    put_integer(&target, "limit", q.limit);
    put_texts(&target, "environment", q.environments, q.environment_count);
    if (!put_range(&target, q.from_us, q.to_us)) {
        wrong = wrong_time;
    }
    return get(client, &target, wrong, call, response);
}

enum xtrace_status xtrace_get_session(struct xtrace_client *client, const char *id,
                                      const struct xtrace_call *call,
                                      struct xtrace_response **response)
{
    return get_by_id(client, "/api/public/sessions/", id, call, response);
}

enum xtrace_status xtrace_get_run(struct xtrace_client *client, const char *id,
                                  const struct xtrace_call *call, struct xtrace_response **response)
{
    return get_by_id(client, "/api/public/runs/", id, call, response);
}

enum xtrace_status xtrace_daily_metrics(struct xtrace_client *client,
                                        const struct xtrace_daily_query *query,
                                        const struct xtrace_call *call,
                                        struct xtrace_response **response)
{
    struct xtrace_daily_query q = xtrace_daily_query_init();
    const char *wrong = TAKE(q, query);
    struct xtrace_text target = path("/api/public/metrics/daily");
    put_integer(&target, "page", q.page);
    put_integer(&target, "limit", q.limit);
    put_text(&target, "traceName", q.trace_name);
    put_text(&target, "userId", q.user_id);
    put_text(&target, "version", q.version);
    put_text(&target, "release", q.release);
    put_texts(&target, "tags", q.tags, q.tag_count);
    if (!put_range(&target, q.from_us, q.to_us)) {
        wrong = wrong_time;
    }
    return get(client, &target, wrong, call, response);
}

enum xtrace_status xtrace_metric_names(struct xtrace_client *client, const struct xtrace_call *call,
                                       struct xtrace_response **response)
{
    struct xtrace_text target = path("/api/public/metrics/names");
    return get(client, &target, NULL, call, response);
}

static void put_labels(struct xtrace_text *target, const struct xtrace_label *labels, size_t count)
{
    if (count == 0) {
        return;
    }
    struct xtrace_text json = XTRACE_TEXT_EMPTY;
    xtrace_encode_labels(&json, labels, count);
    if (json.failed) {
        target->failed = true;
    } else {
        put_text(target, "labels", json.data);
    }
    xtrace_text_finish(&json);
}

static const char *check_metric_query(const struct xtrace_metric_query *query)
{
    for (size_t i = 0; i < query->label_count; i++) {
        if (query->labels[i].key == NULL || query->labels[i].value == NULL) {
            return "labels: a key or value is NULL";
        }
    }
    return query->name == NULL || *query->name == '\0' ? "name: required" : NULL;
}

enum xtrace_status xtrace_query_metrics(struct xtrace_client *client,
                                        const struct xtrace_metric_query *query,
                                        const struct xtrace_call *call,
                                        struct xtrace_response **response)
{
    struct xtrace_metric_query q = xtrace_metric_query_init();
    const char *wrong = TAKE(q, query);
    wrong = wrong != NULL ? wrong : check_metric_query(&q);
    struct xtrace_text target = path("/api/public/metrics/query");
    if (wrong == NULL) {
        put_text(&target, "name", q.name);
        put_labels(&target, q.labels, q.label_count);
        put_text(&target, "step", q.step);
        put_text(&target, "agg", q.agg);
        put_text(&target, "group_by", q.group_by);
        if (!put_time(&target, "from", q.from_us) || !put_time(&target, "to", q.to_us)) {
            wrong = wrong_time;
        }
    }
    return get(client, &target, wrong, call, response);
}

enum xtrace_status xtrace_get(struct xtrace_client *client, const char *path_and_query,
                              const struct xtrace_call *call, struct xtrace_response **response)
{
    bool is_path = *path_and_query == '/';
    for (const char *at = path_and_query; *at != '\0'; at++) {
        is_path = is_path && *at > 0x20 && *at < 0x7f;
    }
    struct xtrace_text target = path(path_and_query);
    return get(client, &target, is_path ? NULL : "path: begins with '/', percent-encoded", call,
               response);
}
