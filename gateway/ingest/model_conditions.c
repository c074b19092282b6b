#include "gateway/ingest/model_conditions.h"

#include "common/json_write.h"
#include "gateway/ingest/decode_model.h"
#include "gateway/ingest/model_values.h"
#include "gateway/ingest/validate.h"

struct condition {
    struct slice pattern, operator, value, source, key, values;
    bool case_sensitive;
};

static enum err read_condition_member(struct json_reader *reader, const struct model_where *where,
                                      struct slice member, struct condition *out,
                                      struct error *error)
{
    if (slice_is(member, "usageDetailPattern")) {
        return model_read_text(reader, where, "usageDetailPattern", DECODE_MODEL_PATTERN_MAX,
                               &out->pattern, error);
    }
    if (slice_is(member, "operator")) {
        return model_read_text(reader, where, "operator", DECODE_MODEL_KEY_MAX, &out->operator,
                               error);
    }
    if (slice_is(member, "source")) {
        return model_read_text(reader, where, "source", DECODE_MODEL_KEY_MAX, &out->source, error);
    }
    if (slice_is(member, "key")) {
        return model_read_text(reader, where, "key", DECODE_MODEL_KEY_MAX, &out->key, error);
    }
    if (slice_is(member, "value")) {
        return json_number(reader, &out->value) || json_failed(reader)
                   ? ERR_OK
                   : model_wrong(error, where, "value", "not a number");
    }
    if (slice_is(member, "caseSensitive")) {
        return json_bool(reader, &out->case_sensitive) || json_null(reader) || json_failed(reader)
                   ? ERR_OK
                   : model_wrong(error, where, "caseSensitive", "not true or false");
    }
    json_skip(reader, slice_is(member, "values") ? &out->values : NULL);
    return ERR_OK;
}

static enum err write_values(struct slice json, uint32_t max_depth, const struct model_where *where,
                             struct arena *arena, struct buf *out, struct error *error)
{
    struct json_reader reader;
    uint32_t count = 0;
    json_reader_init(&reader, (char *)json.data, json.len, max_depth, arena);
    if (json.len == 0 || !json_array_begin(&reader)) {
        return model_wrong(error, where, "values", "not an array");
    }
    buf_append_char(out, '[');
    while (json_array_next(&reader)) {
        struct slice value;
        enum json_type type = json_peek(&reader);
        if (count == DECODE_MODEL_VALUES_MAX) {
            return model_wrong(error, where, "values", "too many");
        }
        if (type != JSON_STRING && type != JSON_NUMBER && type != JSON_BOOL) {
            return model_wrong(error, where, "values", "not strings, numbers, true or false");
        }
        json_skip(&reader, &value);
        buf_append_text(out, count++ > 0 ? "," : "");
        buf_append_slice(out, value);
    }
    buf_append_char(out, ']');
    return count > 0 ? ERR_OK : model_wrong(error, where, "values", "empty");
}

static enum err write_usage_condition(const struct condition *condition,
                                      const struct model_where *where, struct buf *out,
                                      struct error *error)
{
    static const char *const operators[] = {"gt", "gte", "lt", "lte", "eq", "neq", NULL};
    if (model_refers_back(condition->pattern)) {
        return model_wrong(error, where, "usageDetailPattern", "back references are not supported");
    }
    if (!model_is_one_of(condition->operator, operators)) {
        return model_wrong(error, where, "operator", "not one of gt, gte, lt, lte, eq, neq");
    }
    if (condition->value.len == 0) {
        return model_wrong(error, where, "value", "missing");
    }
    buf_append_text(out, "{\"usageDetailPattern\":");
    json_write_string(out, condition->pattern);
    buf_append_text(out, ",\"operator\":");
    json_write_string(out, condition->operator);
    buf_append_text(out, ",\"value\":");
    buf_append_slice(out, condition->value);
    buf_printf(out, ",\"caseSensitive\":%s}", condition->case_sensitive ? "true" : "false");
    return ERR_OK;
}

static enum err write_source_condition(const struct condition *condition, uint32_t max_depth,
                                       const struct model_where *where, struct arena *arena,
                                       struct buf *out, struct error *error)
{
    static const char *const sources[] = {"model_parameters", "metadata", NULL};
    if (condition->source.len == 0) {
        return model_wrong(error, where, "usageDetailPattern", "missing, and source too");
    }
    if (!model_is_one_of(condition->source, sources)) {
        return model_wrong(error, where, "source", "neither model_parameters nor metadata");
    }
    if (condition->key.len == 0) {
        return model_wrong(error, where, "key", "missing");
    }
    if (!slice_is(condition->operator, "in")) {
        return model_wrong(error, where, "operator", "not in");
    }
    buf_append_text(out, "{\"source\":");
    json_write_string(out, condition->source);
    buf_append_text(out, ",\"key\":");
    json_write_string(out, condition->key);
    buf_append_text(out, ",\"operator\":\"in\",\"values\":");
    enum err err = write_values(condition->values, max_depth, where, arena, out, error);
    buf_append_char(out, '}');
    return err;
}

static enum err read_condition(struct json_reader *reader, const struct decode_input *input,
                               const struct model_where *where, struct buf *out,
                               struct error *error)
{
    struct condition condition = {.case_sensitive = false};
    struct slice member;
    enum err err = ERR_OK;
    if (!json_object_begin(reader)) {
        return model_wrong(error, where, "", "not an object");
    }
    while (err == ERR_OK && json_object_next(reader, &member)) {
        err = read_condition_member(reader, where, member, &condition, error);
    }
    if (err != ERR_OK) {
        return err;
    }
    return condition.pattern.len > 0 ? write_usage_condition(&condition, where, out, error)
                                     : write_source_condition(&condition, input->max_depth, where,
                                                              input->scratch, out, error);
}

enum err model_read_conditions(struct json_reader *reader, const struct decode_input *input,
                               const struct model_where *tier, struct slice *out,
                               struct error *error)
{
    struct buf text = BUF_EMPTY;
    uint32_t count = 0;
    enum err err = ERR_OK;
    *out = (struct slice){NULL, 0};
    if (json_null(reader)) {
        return ERR_OK;
    }
    if (!json_array_begin(reader)) {
        return model_wrong(error, tier, "conditions", "not an array");
    }
    while (err == ERR_OK && json_array_next(reader)) {
        struct model_where where = {tier->tier, count};
        if (count == DECODE_MODEL_CONDITIONS_MAX) {
            err = model_wrong(error, tier, "conditions", "too many");
            break;
        }
        buf_append_char(&text, count++ == 0 ? '[' : ',');
        err = read_condition(reader, input, &where, &text, error);
    }
    if (count > 0) {
        buf_append_char(&text, ']');
        *out = arena_copy(input->scratch, buf_slice(&text));
    }
    buf_finish(&text);
    return err;
}
