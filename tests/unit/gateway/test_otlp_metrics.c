/* decode_otlp_metrics: what a data point is stored as, in both encodings, and what is wrong with one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "otlp_cases.h"

#include "gateway/ingest/decode_otlp_metrics.h"

#define TIME "\"timeUnixNano\":\"1767225600000001999\""

/* An export of one metric: its members but for the name. */
static void print(struct buf *out, const char *metric)
{
    buf_printf(out,
               "{\"resourceMetrics\":[{\"resource\":{\"attributes\":["
               "{\"key\":\"service.name\",\"value\":{\"stringValue\":\"shop\"}},"
               "{\"key\":\"process.pid\",\"value\":{\"intValue\":7}}]},"
               "\"scopeMetrics\":[{\"scope\":{\"name\":\"lib\"},\"metrics\":["
               "{\"name\":\"m\",\"unit\":\"s\",\"description\":\"d\",%s}]}]}]}",
               metric);
}

/* name labels = value, without what every point has */
static void describe(struct decoded *decoded, const struct row *row, struct buf *out)
{
    static const char *const common[] = {
        "\"otel.scope.name\":\"lib\"", "\"service.name\":\"shop\"", "\"otel.metric.unit\":\"s\"",
        "\"otel.metric.type\":\"histogram\"", "\"otel.metric.temporality\":\"cumulative\""};
    char *labels = (char *)decoded_value(decoded, row, METRIC_LABELS);
    for (size_t i = 0; i < sizeof(common) / sizeof(common[0]); i++) {
        char *at = strstr(labels, common[i]);
        if (at != NULL) {
            size_t len = strlen(common[i]);
            len += at[len] == ',';
            memmove(at, at + len, strlen(at + len) + 1);
        }
    }
    buf_printf(out, "%s%s%s=%s", out->len > 0 ? "\n" : "", decoded_value(decoded, row, METRIC_NAME),
               labels, decoded_value(decoded, row, METRIC_VALUE));
}

/* lines: of all points in their order; or, after "!", why it is refused. */
static void check(const char *metric, const char *lines)
{
    struct buf text = BUF_EMPTY;
    struct buf bytes = BUF_EMPTY;
    struct buf have = BUF_EMPTY;
    struct decoded json;
    struct decoded protobuf;
    print(&text, metric);
    otlp_open_by(&json, decode_otlp_metrics_json, text.data, text.len);
    assert_int_equal(json.err, ERR_OK);
    for (uint32_t i = 0; i < json.collect.row_count; i++) {
        assert_int_equal(json.rows[i].values[METRIC_TIMESTAMP].integer, INT64_C(1767225600000001));
        describe(&json, &json.rows[i], &have);
    }
    const char *refusal = decoded_refusal(&json, 0);
    if (refusal != NULL) {
        buf_printf(&have, "!%s", refusal);
    }
    if (!slice_is(buf_slice(&have), lines)) {
        fail_msg("%s\nhave     %.*s\nexpected %s", metric, (int)have.len, have.data, lines);
    }
    /* What JSON alone can get wrong, protobuf cannot say. */
    if (refusal == NULL) {
        otlp_encode(&otlp_signal_metrics, &bytes, text.data, text.len);
        otlp_open_by(&protobuf, decode_otlp_metrics_protobuf, bytes.data, bytes.len);
        if (!otlp_same_rows(&json, &protobuf)) {
            fail_msg("protobuf gives other rows: %s", text.data);
        }
        decoded_close(&protobuf);
    }
    decoded_close(&json);
    buf_finish(&text);
    buf_finish(&bytes);
    buf_finish(&have);
}

#define GAUGE(points) "\"gauge\":{\"dataPoints\":[" points "]}"

static void gauges_and_sums_are_values(void **state)
{
    check(GAUGE("{" TIME ",\"asInt\":\"-7\"}"), "m{\"otel.metric.type\":\"gauge\",}=-7");
    check(GAUGE("{" TIME ",\"asDouble\":0.5},{" TIME ",\"asInt\":3}"),
          "m{\"otel.metric.type\":\"gauge\",}=0.5\nm{\"otel.metric.type\":\"gauge\",}=3");
    check("\"sum\":{\"dataPoints\":[{" TIME ",\"asDouble\":2}],\"isMonotonic\":true,"
          "\"aggregationTemporality\":1}",
          "m{\"otel.metric.temporality\":\"delta\",\"otel.metric.type\":\"counter\",}=2");
    check("\"sum\":{\"aggregationTemporality\":\"AGGREGATION_TEMPORALITY_DELTA\",\"dataPoints\":["
          "{" TIME ",\"asDouble\":-2}]}",
          "m{\"otel.metric.temporality\":\"delta\",\"otel.metric.type\":\"sum\",}=-2");
    check("\"gauge\":{}", "");
    check("\"gauge\":{\"dataPoints\":null}", "");
}

static void attributes_are_labels_and_beat_the_resources(void **state)
{
    check(GAUGE("{\"attributes\":[{\"key\":\"b\",\"value\":{\"intValue\":1}},"
                "{\"key\":\"a\",\"value\":{\"arrayValue\":{\"values\":[{\"boolValue\":true}]}}},"
                "{\"key\":\"n\",\"value\":{}},{\"key\":\"service.name\",\"value\":{\"stringValue\":"
                "\"own\"}}]," TIME ",\"asInt\":1}"),
          "m{\"a\":\"[true]\",\"b\":\"1\",\"otel.metric.type\":\"gauge\",\"service.name\":\"own\"}="
          "1");
}

#define HISTOGRAM(members)                                                                         \
    "\"histogram\":{\"aggregationTemporality\":2,\"dataPoints\":[{" TIME "," members "}]}"

static void buckets_count_what_is_not_greater(void **state)
{
    check(HISTOGRAM("\"count\":\"6\",\"sum\":12.5,\"min\":0.5,\"max\":9,\"explicitBounds\":[1,2.5],"
                    "\"bucketCounts\":[\"1\",2,\"3\"]"),
          "m.count{}=6\nm.sum{}=12.5\nm.min{}=0.5\nm.max{}=9\nm.bucket{\"le\":\"1\",}=1\n"
          "m.bucket{\"le\":\"2.5\",}=3\nm.bucket{\"le\":\"+Inf\",}=6");
    check(HISTOGRAM("\"count\":6"), "m.count{}=6");
    check(HISTOGRAM("\"count\":6,\"bucketCounts\":[6]"),
          "m.count{}=6\nm.bucket{\"le\":\"+Inf\",}=6");
    check(HISTOGRAM("\"count\":6,\"sum\":null,\"bucketCounts\":[],\"explicitBounds\":[]"),
          "m.count{}=6");
}

#define EXPONENTIAL(members)                                                                       \
    "\"exponentialHistogram\":{\"aggregationTemporality\":2,\"dataPoints\":[{" TIME "," members    \
    "}]}"

static void exponential_buckets_get_their_bounds(void **state)
{
    check(EXPONENTIAL("\"count\":10,\"sum\":3,\"scale\":0,\"zeroCount\":1,"
                      "\"positive\":{\"offset\":-1,\"bucketCounts\":[2,0,3]},"
                      "\"negative\":{\"offset\":1,\"bucketCounts\":[1,3]}"),
          "m.count{}=10\nm.sum{}=3\nm.bucket{\"le\":\"-4\",}=3\nm.bucket{\"le\":\"-2\",}=4\n"
          "m.bucket{\"le\":\"0\",}=5\nm.bucket{\"le\":\"1\",}=7\nm.bucket{\"le\":\"4\",}=10\n"
          "m.bucket{\"le\":\"+Inf\",}=10");
    check(EXPONENTIAL("\"count\":1,\"scale\":1,\"positive\":{\"offset\":1,\"bucketCounts\":[1]}"),
          "m.count{}=1\nm.bucket{\"le\":\"2\",}=1\nm.bucket{\"le\":\"+Inf\",}=1");
    check(EXPONENTIAL("\"count\":2,\"scale\":-10,\"positive\":{\"bucketCounts\":[2]}"),
          "m.count{}=2\nm.bucket{\"le\":\"+Inf\",}=2");
    check(EXPONENTIAL("\"count\":0,\"scale\":20"), "m.count{}=0\nm.bucket{\"le\":\"+Inf\",}=0");
}

static void summaries_are_quantiles(void **state)
{
    check(
        "\"summary\":{\"dataPoints\":[{" TIME ",\"count\":4,\"sum\":8,\"quantileValues\":["
        "{\"quantile\":0.5,\"value\":2},{\"quantile\":0.99,\"value\":\"NaN\"},"
        "{\"quantile\":1,\"value\":3}]}]}",
        "m.count{\"otel.metric.type\":\"summary\",}=4\nm.sum{\"otel.metric.type\":\"summary\",}=8\n"
        "m.quantile{\"otel.metric.type\":\"summary\",\"quantile\":\"0.5\",}=2\n"
        "m.quantile{\"otel.metric.type\":\"summary\",\"quantile\":\"1\",}=3");
}

static void a_bad_point_is_refused_by_itself(void **state)
{
    static const char *const cases[][2] = {
        {GAUGE("{\"asInt\":1}"), "timeUnixNano: missing"},
        {GAUGE("{" TIME "}"), "value: missing"},
        {GAUGE("{" TIME ",\"asDouble\":\"NaN\"}"), "value: not a finite number"},
        {GAUGE("{" TIME ",\"asDouble\":\"-Infinity\"}"), "value: not a finite number"},
        {GAUGE("{" TIME ",\"asDouble\":\"x\"}"), "asDouble: not a double"},
        {GAUGE("{" TIME ",\"asInt\":1,\"flags\":1}"), "flags: there is no recorded value"},
        {GAUGE("{\"timeUnixNano\":-1,\"asInt\":1}"), "timeUnixNano: not nanoseconds since 1970"},
        {GAUGE("17"), "not an object"},
        {HISTOGRAM("\"count\":1,\"sum\":\"NaN\""), "sum: not a finite number"},
        {HISTOGRAM("\"count\":-1"), "count: not a count"},
        {HISTOGRAM("\"count\":1,\"bucketCounts\":[1,2]"),
         "bucketCounts: not one more than explicitBounds"},
        {HISTOGRAM("\"count\":1,\"bucketCounts\":[1,2,3],\"explicitBounds\":[2,2]"),
         "explicitBounds: not in ascending order"},
        {EXPONENTIAL("\"scale\":21"), "scale: not in -10 to 20"},
        {EXPONENTIAL("\"scale\":5e9"), "scale: not a 32-bit integer"},
        {"\"gauge\":{\"dataPoints\":7}", "metric: dataPoints is not an array"},
        {"\"gauge\":7", "metric: not an object"},
        {"\"future\":{\"dataPoints\":[{}]}", "metric: without data of a known type"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct buf refusal = BUF_EMPTY;
        bool whole = strchr(cases[i][1], ':') == NULL;
        buf_printf(&refusal, "!dataPoints[0]%s%s", whole ? ": " : ".", cases[i][1]);
        buf_append_char(&refusal, '\0');
        check(cases[i][0], refusal.data);
        buf_finish(&refusal);
    }
    check(GAUGE("{},{" TIME ",\"asInt\":1}"),
          "m{\"otel.metric.type\":\"gauge\",}=1!dataPoints[0].timeUnixNano: missing");
}

/* Beyond the bounds of JSON: only where it counts, and then for its point alone. */
static void what_json_cannot_hold_harms_its_point_alone(void **state)
{
    static const char lines[] = "m{\"otel.metric.type\":\"gauge\",}=1\n"
                                "m{\"otel.metric.type\":\"gauge\",}=2"
                                "!dataPoints[1].asInt: not a double";
    struct buf text = BUF_EMPTY;
    buf_append_text(&text, "\"gauge\":{\"other\":");
    for (int i = 0; i < 2 * OTLP_CASES_DEPTH_MAX; i++) {
        buf_append_char(&text, '[');
    }
    for (int i = 0; i < 2 * OTLP_CASES_DEPTH_MAX; i++) {
        buf_append_char(&text, ']');
    }
    buf_append_text(&text, ",\"dataPoints\":[{" TIME ",\"asInt\":1},{" TIME ",\"asInt\":");
    for (int i = 0; i < 500; i++) {
        buf_append_char(&text, '9');
    }
    buf_append_text(&text, "},{" TIME ",\"asInt\":2,\"exemplars\":1e9999}]}");
    buf_append_char(&text, '\0');
    check(text.data, lines);
    buf_finish(&text);
}

static void check_body(decoder decode, const char *body, size_t len, const char *message)
{
    struct decoded decoded;
    otlp_open_by(&decoded, decode, body, len);
    assert_int_equal(decoded.err, ERR_INVALID);
    assert_non_null(strstr(decoded.error.text, message));
    decoded_close(&decoded);
}

static void another_body_is_refused_whole(void **state)
{
    static const char spans[] = "{\"resourceSpans\":[]}";
    static const char list[] = "{\"resourceMetrics\":{}}";
    static const char inner[] = "{\"resourceMetrics\":[{\"scopeMetrics\":[{\"metrics\":1}]}]}";
    check_body(decode_otlp_metrics_json, spans, sizeof(spans) - 1, "not a metrics export");
    check_body(decode_otlp_metrics_json, list, sizeof(list) - 1, "resourceMetrics: not an array");
    check_body(decode_otlp_metrics_json, inner, sizeof(inner) - 1, "metrics: not an array");
    check_body(decode_otlp_metrics_json, "[", 1, "invalid JSON");
    check_body(decode_otlp_metrics_protobuf, "\x0a\x05\x00", 3, "invalid protobuf");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gauges_and_sums_are_values),
        cmocka_unit_test(attributes_are_labels_and_beat_the_resources),
        cmocka_unit_test(buckets_count_what_is_not_greater),
        cmocka_unit_test(exponential_buckets_get_their_bounds),
        cmocka_unit_test(summaries_are_quantiles),
        cmocka_unit_test(a_bad_point_is_refused_by_itself),
        cmocka_unit_test(what_json_cannot_hold_harms_its_point_alone),
        cmocka_unit_test(another_body_is_refused_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
