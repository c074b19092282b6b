/* decode_otlp_logs: what records say of their spans, in both encodings, and which do not count. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "otlp_cases.h"

#include "gateway/ingest/decode_otlp_logs.h"

#define IDS              "\"traceId\":\"" OTLP_TRACE "\",\"spanId\":\"" OTLP_SPAN "\""
#define TIME             "\"timeUnixNano\":\"1767225600000000000\""
#define TEXT(text)       "{\"stringValue\":\"" text "\"}"
#define PAIR(key, value) "{\"key\":\"" key "\",\"value\":" value "}"

struct both {
    struct decoded json;
    struct decoded protobuf;
};

/* Decodes the records in both encodings, which must give the same. */
static void open_both(struct both *both, const char *records)
{
    struct buf text = BUF_EMPTY;
    struct buf bytes = BUF_EMPTY;
    buf_printf(&text,
               "{\"resourceLogs\":[{\"resource\":{\"attributes\":[" PAIR(
                   "deployment.environment",
                   TEXT("Prod")) "]},\"scopeLogs\":[{\"scope\":{\"name\":\"lib\"},"
                                 "\"logRecords\":[%s]}]}]}",
               records);
    otlp_open_by(&both->json, decode_otlp_logs_json, text.data, text.len);
    assert_int_equal(both->json.err, ERR_OK);
    otlp_encode(&otlp_signal_logs, &bytes, text.data, text.len);
    otlp_open_by(&both->protobuf, decode_otlp_logs_protobuf, bytes.data, bytes.len);
    if (both->json.collect.refused_count == 0 && !otlp_same_rows(&both->json, &both->protobuf)) {
        fail_msg("protobuf gives other rows: %s", records);
    }
    buf_finish(&text);
    buf_finish(&bytes);
}

static void close_both(struct both *both)
{
    decoded_close(&both->json);
    decoded_close(&both->protobuf);
}

/* part: of the metadata of the first row. */
static void check_metadata(const char *record, const char *part)
{
    struct both both;
    open_both(&both, record);
    assert_true(both.json.collect.row_count >= 2); /* and a bare trace */
    const char *metadata = decoded_value(&both.json, &both.json.rows[0], OBSERVATION_METADATA);
    if (strstr(metadata, part) == NULL) {
        fail_msg("%s\nhave     %s\nexpected %s", record, metadata, part);
    }
    close_both(&both);
}

static void messages_of_bodies_are_marked_for_the_input(void **state)
{
    check_metadata("{" IDS "," TIME
                   ",\"eventName\":\"gen_ai.user.message\",\"body\":{\"kvlistValue\":"
                   "{\"values\":[" PAIR("content", TEXT("hi")) "]}},\"attributes\":[" PAIR(
                       "gen_ai.system", TEXT("openai")) "]}",
                   "\"input\":{\"role\":\"user\",\"content\":\"hi\"},"
                   "\"attributes\":{\"gen_ai.system\":\"openai\"},\"scope\":");
    check_metadata("{" IDS "," TIME ",\"attributes\":[" PAIR(
                       "event.name", TEXT("gen_ai.tool.message")) "],\"body\":" TEXT("done") "}",
                   "\"input\":{\"role\":\"tool\",\"content\":\"done\"}");
    check_metadata("{" IDS "," TIME
                   ",\"eventName\":\"gen_ai.system.message\",\"attributes\":[" PAIR(
                       "content", TEXT("be kind")) "]}",
                   "\"input\":{\"role\":\"system\",\"content\":\"be kind\"},\"scope\":");
    check_metadata("{" IDS "," TIME ",\"eventName\":\"gen_ai.choice\",\"body\":{\"kvlistValue\":"
                   "{\"values\":[" PAIR("index", "{\"intValue\":0}") "]}}}",
                   "\"output\":{\"index\":0}");
}

static void what_is_no_message_is_kept_as_it_came(void **state)
{
    check_metadata(
        "{" IDS "," TIME ",\"severityNumber\":9,\"severityText\":\"INFO\",\"body\":" TEXT(
            "b") ",\"droppedAttributesCount\":2,\"attributes\":[" PAIR("gen_ai.other",
                                                                       "{\"intValue\":1}") "]}",
        "{\"timeUnixNano\":\"1767225600000000000\",\"severityNumber\":9,"
        "\"severityText\":\"INFO\",\"body\":\"b\",\"attributes\":{\"gen_ai.other\":1},"
        "\"droppedAttributesCount\":2,\"scope\":{\"name\":\"lib\",\"attributes\":{}}}");
}

static void keys_sort_as_the_records_were_written(void **state)
{
    struct both both;
    const char *record =
        "{" IDS "," TIME ",\"eventName\":\"gen_ai.user.message\",\"body\":" TEXT("x") "}";
    struct buf two = BUF_EMPTY;
    buf_printf(&two, "%s,%s", record, record);
    open_both(&both, two.data);
    assert_non_null(strstr(decoded_value(&both.json, &both.json.rows[0], OBSERVATION_METADATA),
                           "{\"logRecords\":{\"01767225600000000000-0000-"));
    assert_non_null(strstr(decoded_value(&both.json, &both.json.rows[1], OBSERVATION_METADATA),
                           "{\"logRecords\":{\"01767225600000000000-0001-"));
    close_both(&both);
    buf_finish(&two);
}

static void whole_sides_are_weak_values_of_the_observation(void **state)
{
    struct both both;
    open_both(&both,
              "{" IDS "," TIME ",\"eventName\":\"gen_ai.client.inference.operation.details\","
              "\"attributes\":[" PAIR("gen_ai.input.messages", TEXT("[1]")) "," PAIR(
                  "gen_ai.output.messages", TEXT("[2]")) "," PAIR("gen_ai.request.model",
                                                                  TEXT("m")) "]}");
    const struct row *row = &both.json.rows[0];
    assert_int_equal(row->kind, ROW_OBSERVATION);
    assert_int_equal(row->version, version_weak(OTLP_START_US));
    assert_string_equal(decoded_value(&both.json, row, OBSERVATION_INPUT), "[1]");
    assert_string_equal(decoded_value(&both.json, row, OBSERVATION_OUTPUT), "[2]");
    assert_string_equal(decoded_value(&both.json, row, OBSERVATION_ENVIRONMENT), "prod");
    assert_non_null(strstr(decoded_value(&both.json, row, OBSERVATION_METADATA),
                           "\"attributes\":{\"gen_ai.request.model\":\"m\"},\"scope\""));
    const struct row *trace = &both.json.rows[1];
    assert_int_equal(trace->kind, ROW_TRACE);
    assert_string_equal(decoded_value(&both.json, trace, TRACE_ID), OTLP_TRACE);
    close_both(&both);
}

static void other_records_are_counted(void **state)
{
    struct both both;
    open_both(&both,
              "{" IDS "," TIME ",\"body\":" TEXT(
                  "plain") "},{" TIME
                           ",\"eventName\":\"gen_ai.user.message\"},{\"traceId\":\"" OTLP_TRACE
                           "\",\"eventName\":\"gen_ai.user.message\"},{}");
    assert_int_equal(both.json.collect.row_count, 0);
    assert_int_equal(both.json.collect.record_count, 0);
    assert_int_equal(both.json.collect.ignored_count, 4);
    close_both(&both);
}

static void bodies_of_another_type_are_kept_as_text(void **state)
{
    check_metadata("{" IDS "," TIME ",\"eventName\":\"gen_ai.x\",\"body\":7}", "\"body\":\"7\"");
    check_metadata("{" IDS "," TIME ",\"eventName\":\"gen_ai.x\",\"body\":{\"intValue\":\"x\"}}",
                   "\"body\":\"x\"");
    check_metadata("{" IDS "," TIME ",\"eventName\":\"gen_ai.x\",\"attributes\":[1]}",
                   "\"attributes\":{\"[0]\":\"1\"}");
}

static void a_bad_record_is_refused_by_itself(void **state)
{
    static const char *const cases[][2] = {
        {"17", "logRecords[1]: not an object"},
        {"{\"traceId\":\"aa\"}",
         "logRecords[1].traceId: not an id of the right length in hex digits"},
        {"{\"spanId\":7}", "logRecords[1].spanId: not of the right type"},
        {"{\"attributes\":{}}", "logRecords[1].attributes: not of the right type"},
        {"{\"timeUnixNano\":\"x\"}", "logRecords[1].timeUnixNano: not nanoseconds since 1970"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct decoded decoded;
        struct buf text = BUF_EMPTY;
        buf_printf(&text,
                   "{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[{" IDS
                   ",\"eventName\":\"gen_ai.x\"},%s]}]}]}",
                   cases[i][0]);
        otlp_open_by(&decoded, decode_otlp_logs_json, text.data, text.len);
        assert_int_equal(decoded.err, ERR_OK);
        assert_string_equal(decoded_refusal(&decoded, 0), cases[i][1]);
        assert_int_equal(collect_count_stored(&decoded.collect, ROW_OBSERVATION), 1);
        decoded_close(&decoded);
        buf_finish(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_of_bodies_are_marked_for_the_input),
        cmocka_unit_test(what_is_no_message_is_kept_as_it_came),
        cmocka_unit_test(keys_sort_as_the_records_were_written),
        cmocka_unit_test(whole_sides_are_weak_values_of_the_observation),
        cmocka_unit_test(other_records_are_counted),
        cmocka_unit_test(bodies_of_another_type_are_kept_as_text),
        cmocka_unit_test(a_bad_record_is_refused_by_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
