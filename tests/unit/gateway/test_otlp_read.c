/* otlp_json, otlp_protobuf: every way to write a span, and what is wrong with it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "otlp_cases.h"

#include "gateway/ingest/otlp_names.h"
#include "gateway/ingest/otlp_wire.h"

#define EXPORT(spans) "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[" spans "]}]}]}"
#define IDS           "\"traceId\":\"" OTLP_TRACE "\",\"spanId\":\"" OTLP_SPAN "\""

static void names_are_sorted(void **state)
{
#define NAME_TEXT(suffix, text) text,
    static const char *const names[] = {OTLP_NAMES(NAME_TEXT)};
#undef NAME_TEXT
    for (uint32_t i = 0; i < NAME_COUNT; i++) {
        assert_true(i == 0 || strcmp(names[i - 1], names[i]) < 0);
        assert_int_equal(otlp_name_find(slice_from(names[i])), i);
    }
    assert_int_equal(otlp_name_find(slice_from("user.id.")), NAME_UNKNOWN);
    assert_int_equal(otlp_name_find(slice_from("")), NAME_UNKNOWN);
}

/* The value of one attribute, as metadata shows it. */
static void check_value(const char *value, const char *expected)
{
    struct buf text = BUF_EMPTY;
    struct buf bytes = BUF_EMPTY;
    struct decoded d;
    struct decoded p;
    buf_printf(&text, EXPORT("{" IDS ",\"attributes\":[{\"key\":\"k\",\"value\":%s}]}"), value);
    otlp_open_json(&d, text.data, text.len);
    assert_int_equal(d.collect.refused_count, 0);
    struct buf wanted = BUF_EMPTY;
    buf_printf(&wanted, "{\"attributes\":{\"k\":%s}}", expected);
    const char *have = decoded_value(&d, &d.rows[0], OBSERVATION_METADATA);
    if (have == NULL || !slice_is(buf_slice(&wanted), have)) {
        fail_msg("%s: %s, not %.*s", value, have, (int)wanted.len, wanted.data);
    }
    otlp_encode(&otlp_signal_spans, &bytes, text.data, text.len);
    otlp_open_protobuf(&p, bytes.data, bytes.len);
    assert_string_equal(decoded_value(&p, &p.rows[0], OBSERVATION_METADATA), have);
    decoded_close(&p);
    decoded_close(&d);
    buf_finish(&wanted);
    buf_finish(&text);
    buf_finish(&bytes);
}

static void values(void **state)
{
    static const char *const cases[][2] = {
        {"{\"stringValue\":\"a\\u0000b\\ud800\"}", "\"a\xEF\xBF\xBD"
                                                   "b\xEF\xBF\xBD\""},
        {"{\"intValue\":\"-9223372036854775808\"}", "-9223372036854775808"},
        {"{\"intValue\":9223372036854775807}", "9223372036854775807"},
        {"{\"intValue\":1e3}", "1000"},
        {"{\"doubleValue\":1}", "1"},
        {"{\"doubleValue\":0.1}", "0.1"},
        {"{\"doubleValue\":1e300}", "1e+300"},
        {"{\"doubleValue\":-0.0}", "0"},
        {"{\"doubleValue\":\"2.5\"}", "2.5"},
        {"{\"doubleValue\":\"NaN\"}", "\"NaN\""},
        {"{\"doubleValue\":\"-Infinity\"}", "\"-Infinity\""},
        {"{\"boolValue\":false}", "false"},
        {"{\"bytesValue\":\"AQI=\"}", "\"AQI=\""},
        {"{\"arrayValue\":{\"values\":[{\"intValue\":1},{},{\"arrayValue\":{}}]}}", "[1,null,[]]"},
        {"{\"kvlistValue\":{\"values\":[{\"key\":\"a\",\"value\":{\"boolValue\":true}}]}}",
         "{\"a\":true}"},
        {"{\"stringValue\":null}", "null"},
        {"null", "null"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        check_value(cases[i][0], cases[i][1]);
    }
}

static void values_of_another_type_are_kept_as_text(void **state)
{
    static const char *const cases[][2] = {
        {"{\"intValue\":\"9223372036854775808\"}", "\"9223372036854775808\""},
        {"{\"intValue\":1.5}", "\"1.5\""},
        {"{\"intValue\":\"x\"}", "\"x\""},
        {"{\"intValue\":true}", "\"true\""},
        {"{\"intValue\":{\"a\":1}}", "\"{\\\"a\\\":1}\""},
        {"{\"doubleValue\":1e999}", "\"1e999\""},
        {"{\"doubleValue\":[]}", "\"[]\""},
        {"{\"doubleValue\":\"x\"}", "\"x\""},
        {"{\"boolValue\":\"false\"}", "\"false\""},
        {"{\"boolValue\":1}", "\"1\""},
        {"{\"stringValue\":5}", "\"5\""},
        {"{\"bytesValue\":[1, 2]}", "\"[1, 2]\""},
        {"{\"arrayValue\":7}", "\"7\""},
        {"{\"arrayValue\":{\"values\":7}}", "\"7\""},
        {"{\"arrayValue\":{\"values\":[7,null,{\"intValue\":\"x\"}]}}", "[\"7\",null,\"x\"]"},
        {"{\"kvlistValue\":{\"values\":{}}}", "\"{}\""},
        {"{\"kvlistValue\":{\"values\":[7,null,{},{\"key\":8,\"value\":9}]}}",
         "{\"[0]\":\"7\",\"8\":\"9\"}"},
        {"{\"futureValue\":7}", "\"7\""},
        {"{\"futureValue\":7,\"intValue\":8,\"laterValue\":9}", "8"},
        {"\"bare\"", "\"bare\""},
        {"7", "\"7\""},
        {"[1]", "\"[1]\""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        check_value(cases[i][0], cases[i][1]);
    }
}

static void attributes_that_are_no_pairs_go_by_their_place(void **state)
{
    static const char text[] =
        EXPORT("{" IDS ",\"attributes\":[{\"key\":\"a\",\"value\":{\"intValue\":1}},"
               "17,null,\"x\",{},{\"key\":\"b\"},[{}],{\"key\":null}]}");
    struct decoded d;
    otlp_open_json(&d, text, strlen(text));
    assert_int_equal(d.collect.refused_count, 0);
    assert_string_equal(decoded_value(&d, &d.rows[0], OBSERVATION_METADATA),
                        "{\"attributes\":{\"a\":1,\"[1]\":\"17\",\"[3]\":\"x\",\"b\":null,"
                        "\"[6]\":\"[{}]\"}}");
    decoded_close(&d);
}

static void print_nested(struct buf *out, uint32_t depth)
{
    for (uint32_t i = 0; i < depth; i++) {
        buf_append_text(out, "{\"arrayValue\":{\"values\":[");
    }
    buf_append_text(out, "{\"intValue\":1}");
    for (uint32_t i = 0; i < depth; i++) {
        buf_append_text(out, "]}}");
    }
}

/* As many levels as are kept, the rest as JSON text (protobuf: as its bytes). */
static void values_nested_too_deeply_go_on_as_text(void **state)
{
    struct buf text = BUF_EMPTY;
    struct buf wanted = BUF_EMPTY;
    struct decoded d;
    buf_append_text(&text, "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{" IDS
                           ",\"attributes\":[{\"key\":\"k\",\"value\":");
    print_nested(&text, OTLP_DEPTH_MAX + 1);
    buf_append_text(&text, "}]}]}]}]}");
    buf_append_text(&wanted, "{\"attributes\":{\"k\":");
    for (int i = 0; i < OTLP_DEPTH_MAX; i++) {
        buf_append_char(&wanted, '[');
    }
    buf_append_text(&wanted, "\"{\\\"values\\\":[{\\\"intValue\\\":1}]}\"");
    for (int i = 0; i < OTLP_DEPTH_MAX; i++) {
        buf_append_char(&wanted, ']');
    }
    buf_append_text(&wanted, "}}");
    otlp_open_json(&d, text.data, text.len);
    assert_int_equal(d.collect.refused_count, 0);
    assert_true(slice_is(buf_slice(&wanted), decoded_value(&d, &d.rows[0], OBSERVATION_METADATA)));
    decoded_close(&d);
    buf_finish(&wanted);
    buf_finish(&text);
}

static void check_span(const char *span, const char *refusal)
{
    struct buf text = BUF_EMPTY;
    struct decoded d;
    buf_printf(&text, EXPORT("{" IDS "},%s"), span);
    otlp_open_json(&d, text.data, text.len);
    const char *have = decoded_refusal(&d, 0);
    if (d.err != ERR_OK || (have == NULL) != (refusal == NULL) ||
        (have != NULL && strcmp(have, refusal) != 0)) {
        fail_msg("%s: %s %s", span, have != NULL ? have : "-", d.error.text);
    }
    assert_non_null(otlp_row(&d, IN_OBSERVATION, OBSERVATION_ID)); /* the neighbour */
    decoded_close(&d);
    buf_finish(&text);
}

static void spans_are_refused_by_themselves(void **state)
{
    static const char ids[] = "spans[1].traceId: not an id of the right length in hex digits";
    static const char *const cases[][2] = {
        {"{" IDS "}", NULL},
        {"{" IDS ",\"name\":null,\"attributes\":null,\"status\":null,\"events\":null}", NULL},
        {"17", "spans[1]: not an object"},
        {"null", "spans[1]: not an object"},
        {"{\"spanId\":\"" OTLP_SPAN "\"}", "spans[1].traceId: missing, or all zero"},
        {"{\"traceId\":\"" OTLP_TRACE "\"}", "spans[1].spanId: missing, or all zero"},
        {"{\"traceId\":\"" OTLP_TRACE "\",\"spanId\":\"0000000000000000\"}",
         "spans[1].spanId: missing, or all zero"},
        {"{\"traceId\":\"" OTLP_SPAN "\",\"spanId\":\"" OTLP_SPAN "\"}", ids},
        {"{\"traceId\":\"x" OTLP_SPAN "00f067aa0ba902b\",\"spanId\":\"" OTLP_SPAN "\"}", ids},
        {"{\"traceId\":17,\"spanId\":\"" OTLP_SPAN "\"}",
         "spans[1].traceId: not of the right type"},
        {"{\"traceId\":[1,2],\"spanId\":\"" OTLP_SPAN "\"}", ids},
        {"{\"traceId\":[1,256],\"spanId\":\"" OTLP_SPAN "\"}",
         "spans[1].traceId: not an array of bytes"},
        {"{\"traceId\":{\"type\":\"Buffer\",\"data\":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16]},"
         "\"spanId\":[1,2,3,4,5,6,7,8]}",
         NULL},
        {"{" IDS ",\"parentSpanId\":\"aa\"}",
         "spans[1].parentSpanId: not an id of the right length in hex digits"},
        {"{" IDS ",\"startTimeUnixNano\":\"x\"}",
         "spans[1].startTimeUnixNano: not nanoseconds since 1970"},
        {"{" IDS ",\"startTimeUnixNano\":-1}",
         "spans[1].startTimeUnixNano: not nanoseconds since 1970"},
        {"{" IDS ",\"startTimeUnixNano\":1.7e18,\"endTimeUnixNano\":{\"low\":-5,\"high\":4}}",
         NULL},
        {"{" IDS ",\"endTimeUnixNano\":18446744073709551616}",
         "spans[1].endTimeUnixNano: not nanoseconds since 1970"},
        {"{" IDS ",\"name\":{}}", NULL},
        {"{" IDS ",\"attributes\":{}}", "spans[1].attributes: not of the right type"},
        {"{" IDS ",\"attributes\":[1]}", NULL},
        {"{" IDS ",\"events\":{}}", "spans[1].events: not an array"},
        {"{" IDS ",\"events\":[1]}", "spans[1].events: not an array of objects"},
        {"{" IDS ",\"events\":[null,{}],\"links\":[null]}", NULL},
        {"{" IDS ",\"links\":[{\"traceId\":\"x\"}]}",
         "spans[1].links: not an id of the right length in hex digits"},
        {"{" IDS ",\"status\":2}", "spans[1].status: not of the right type"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        check_span(cases[i][0], cases[i][1]);
    }
}

#define KIND(value, expected)                                                                      \
    {                                                                                              \
        NULL, IN_OBSERVATION, OBSERVATION_METADATA, expected, NULL, NULL, "\"kind\":" value ","    \
    }
#define STATUS(value, expected)                                                                    \
    {                                                                                              \
        NULL, IN_OBSERVATION, OBSERVATION_LEVEL, expected, NULL, NULL, "\"status\":" value ","     \
    }

static void words_of_enumerations(void **state)
{
    static const struct otlp_case cases[] = {
        KIND("3", "{\"span\":{\"kind\":\"CLIENT\"}}"),
        KIND("\"3\"", "{\"span\":{\"kind\":\"CLIENT\"}}"),
        KIND("\"SPAN_KIND_CONSUMER\"", "{\"span\":{\"kind\":\"CONSUMER\"}}"),
        KIND("\"SPAN_KIND_INTERNAL\"", NULL),
        KIND("\"SPAN_KIND_OF_THE_FUTURE\"", NULL),
        KIND("6", NULL),
        KIND("-1", NULL),
        KIND("{}", NULL),
        STATUS("{\"code\":2}", "ERROR"),
        STATUS("{\"code\":\"2\"}", "ERROR"),
        STATUS("{\"code\":\"STATUS_CODE_ERROR\"}", "ERROR"),
        STATUS("{\"code\":\"STATUS_CODE_OK\"}", NULL),
        STATUS("{\"code\":3}", NULL),
        STATUS("{}", NULL),
    };
    OTLP_CHECK_ALL(cases);
}

/* A list may come in pieces, as fields of protobuf may. */
static void lists_that_come_twice_are_one(void **state)
{
    static const char text[] =
        EXPORT("{" IDS ",\"attributes\":[{\"key\":\"a\",\"value\":{\"intValue\":1}}],"
               "\"attributes\":[{\"key\":\"b\",\"value\":{\"intValue\":2}}]}");
    struct decoded d;
    otlp_open_json(&d, text, strlen(text));
    assert_string_equal(decoded_value(&d, &d.rows[0], OBSERVATION_METADATA),
                        "{\"attributes\":{\"a\":1,\"b\":2}}");
    decoded_close(&d);
}

static void long_ids_of_users_are_refused(void **state)
{
    struct buf attributes = BUF_EMPTY;
    struct buf text = BUF_EMPTY;
    struct decoded d;
    buf_printf(&attributes, "{\"user.id\":\"%0801d\"}", 0);
    struct otlp_case c = {.attributes = attributes.data};
    otlp_print(&text, &c);
    otlp_open_json(&d, text.data, text.len);
    assert_string_equal(decoded_refusal(&d, 0), "spans[0].user.id: longer than 800 bytes");
    assert_int_equal(d.collect.row_count, 0);
    decoded_close(&d);
    buf_finish(&attributes);
    buf_finish(&text);
}

static void long_names_are_cut_between_characters(void **state)
{
    struct buf name = BUF_EMPTY;
    struct buf text = BUF_EMPTY;
    struct decoded d;
    buf_append_text(&name, "\"name\":\"a");
    for (int i = 0; i < 2500; i++) {
        buf_append_text(&name, "é");
    }
    buf_append_text(&name, "\",");
    buf_append_char(&name, '\0');
    struct otlp_case c = {.more = name.data};
    otlp_print(&text, &c);
    otlp_open_json(&d, text.data, text.len);
    assert_int_equal(d.collect.refused_count, 0);
    assert_int_equal(strlen(decoded_value(&d, &d.rows[0], OBSERVATION_NAME)), 3999);
    decoded_close(&d);
    buf_finish(&name);
    buf_finish(&text);
}

static void a_wrong_resource_is_its_spans_fault(void **state)
{
    static const char text[] =
        "{\"resourceSpans\":[{\"resource\":7,\"scopeSpans\":[{\"spans\":[{" IDS "}]}]},"
        "{\"resource\":{},\"scopeSpans\":[{\"scope\":{\"attributes\":1},\"spans\":[{" IDS "}]},"
        "{\"scope\":null,\"spans\":[{" IDS "}]}]}]}";
    struct decoded d;
    otlp_open_json(&d, text, strlen(text));
    assert_string_equal(decoded_refusal(&d, 0),
                        "spans[0].resource.attributes: not of the right type");
    assert_string_equal(decoded_refusal(&d, 1), "spans[1].scope: not of the right type");
    assert_int_equal(d.collect.refused_count, 2);
    assert_int_equal(d.collect.record_count, 3);
    decoded_close(&d);
}

static void bodies_that_are_no_export(void **state)
{
    static const char *const cases[][2] = {
        {"", "invalid JSON at byte 0: expected a value"},
        {"[]", "the body is not an object"},
        {"{\"resourceSpans\":1}", "resourceSpans: not an array"},
        {"{\"resourceSpans\":[1]}", "resourceSpans and scopeSpans must be arrays of objects"},
        {"{\"resourceSpans\":[{\"resource\":{},\"scopeSpans\":{}}]}", "scopeSpans: not an array"},
        {"{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":1}]}]}", "spans: not an array"},
        {"{\"resourceLogs\":[]}", "not a trace export: there is no resourceSpans"},
        {"{\"resourceSpans\":[]", "invalid JSON at byte 19: expected ',' or '}'"},
        {"{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{]}]}]}",
         "invalid JSON at byte 44: expected a member name"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct decoded d;
        otlp_open_json(&d, cases[i][0], strlen(cases[i][0]));
        assert_int_equal(d.err, ERR_INVALID);
        assert_string_equal(d.error.text, cases[i][1]);
        decoded_close(&d);
    }
}

static void more_spans_than_allowed(void **state)
{
    struct buf text = BUF_EMPTY;
    struct buf bytes = BUF_EMPTY;
    struct decoded d;
    buf_append_text(&text, "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[");
    for (int i = 0; i < 51; i++) {
        buf_append_text(&text, i > 0 ? ",{" IDS "}" : "{" IDS "}");
    }
    buf_append_text(&text, "]}]}]}");
    otlp_open_json(&d, text.data, text.len);
    assert_int_equal(d.err, ERR_TOO_LARGE);
    decoded_close(&d);
    otlp_encode(&otlp_signal_spans, &bytes, text.data, text.len);
    otlp_open_protobuf(&d, bytes.data, bytes.len);
    assert_int_equal(d.err, ERR_TOO_LARGE);
    decoded_close(&d);
    buf_finish(&text);
    buf_finish(&bytes);
}

/* A resource of a megabyte, and many spans that would repeat it. */
static void a_resource_cannot_be_repeated_without_end(void **state)
{
    struct buf text = BUF_EMPTY;
    struct decoded d;
    buf_append_text(&text, "{\"resourceSpans\":[{\"resource\":{\"attributes\":[{\"key\":\"k\","
                           "\"value\":{\"stringValue\":\"");
    memset(buf_reserve(&text, 1 << 20), 'x', 1 << 20);
    text.len += 1 << 20;
    buf_append_text(&text, "\"}}]},\"scopeSpans\":[{\"spans\":[");
    for (int i = 0; i < 30; i++) {
        buf_append_text(&text, i > 0 ? ",{" IDS "}" : "{" IDS "}");
    }
    buf_append_text(&text, "]}]}]}");
    otlp_open_json(&d, text.data, text.len);
    assert_int_equal(d.err, ERR_TOO_LARGE);
    decoded_close(&d);
    buf_finish(&text);
}

static void fields_of_the_wire(void **state)
{
    static const char bytes[] = "\x08\x96\x01"             /* 1: 150 */
                                "\x12\x02hi"               /* 2: "hi" */
                                "\x19\1\0\0\0\0\0\0\x80"   /* 3: fixed64 */
                                "\x25\1\0\0\x80"           /* 4: fixed32 */
                                "\xf8\xff\xff\xff\x0f\x00" /* the greatest number */
                                "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01";
    struct wire wire = wire_from((struct slice){bytes, sizeof(bytes) - 1});
    struct wire_field field;
    assert_true(wire_next(&wire, &field) && field.number == 1 && field.integer == 150);
    assert_true(wire_next(&wire, &field) && slice_is(field.bytes, "hi"));
    assert_true(wire_next(&wire, &field) && field.integer == UINT64_C(0x8000000000000001));
    assert_true(wire_next(&wire, &field) && field.integer == UINT32_C(0x80000001));
    assert_true(wire_next(&wire, &field) && field.number == (1U << 29) - 1);
    assert_true(wire_next(&wire, &field) && field.integer == UINT64_MAX);
    assert_true(!wire_next(&wire, &field) && !wire.broken);
}

static void broken_wires(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
    } cases[] = {
        {"\x08", 1},
        {"\xff", 1},
        {"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 12},
        {"\x12\x03hi", 4},
        {"\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11},
        {"\x19\0\0\0\0\0\0\0", 8},
        {"\x25\0\0\0", 4},
        {"\x0b\x0c", 2},
        {"\x0e", 1},
        {"\x00\x00", 2},
        {"\xf8\xff\xff\xff\x7f\x00", 6},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct wire_field field;
        char *copy = memory_alloc(cases[i].len);
        memcpy(copy, cases[i].bytes, cases[i].len);
        struct wire wire = wire_from((struct slice){copy, cases[i].len});
        assert_false(wire_next(&wire, &field));
        assert_true(wire.broken);
        assert_false(wire_next(&wire, &field));
        free(copy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_sorted),
        cmocka_unit_test(values),
        cmocka_unit_test(values_of_another_type_are_kept_as_text),
        cmocka_unit_test(attributes_that_are_no_pairs_go_by_their_place),
        cmocka_unit_test(values_nested_too_deeply_go_on_as_text),
        cmocka_unit_test(spans_are_refused_by_themselves),
        cmocka_unit_test(words_of_enumerations),
        cmocka_unit_test(lists_that_come_twice_are_one),
        cmocka_unit_test(long_ids_of_users_are_refused),
        cmocka_unit_test(long_names_are_cut_between_characters),
        cmocka_unit_test(a_wrong_resource_is_its_spans_fault),
        cmocka_unit_test(bodies_that_are_no_export),
        cmocka_unit_test(more_spans_than_allowed),
        cmocka_unit_test(a_resource_cannot_be_repeated_without_end),
        cmocka_unit_test(fields_of_the_wire),
        cmocka_unit_test(broken_wires),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
