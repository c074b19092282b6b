#include "gateway/ingest/decode_model.h"

#include <inttypes.h>
#include <stdio.h>

#include "common/id.h"
#include "common/json_read.h"
#include "common/json_write.h"
#include "common/rfc3339.h"
#include "gateway/ingest/model_conditions.h"
#include "gateway/ingest/model_values.h"
#include "gateway/ingest/validate.h"

static const char place[] = "model";

enum flat { FLAT_INPUT, FLAT_OUTPUT, FLAT_TOTAL, FLAT_COUNT };
static const char *const flat_names[FLAT_COUNT] = {"inputPrice", "outputPrice", "totalPrice"};
static const char *const flat_kinds[FLAT_COUNT] = {"input", "output", "total"};

/* The body as sent. Empty slices are absent. */
struct model {
    struct slice name;
    struct slice pattern;
    struct slice unit;
    struct slice start_date;
    struct slice tokenizer_id;
    struct slice tokenizer_config; /* JSON */
    struct slice flat[FLAT_COUNT]; /* JSON numbers */
    struct slice tiers;            /* JSON */
    bool has_start;
    int64_t start_us;
    char id[UUID_TEXT_SIZE + 1];
};

struct tier {
    struct slice name;
    bool is_default;
    int64_t priority;
    struct slice conditions; /* JSON, checked */
    struct slice prices;
};

struct tiers {
    struct tier all[DECODE_MODEL_TIERS_MAX];
    uint32_t count;
};

static const struct model_where top = {-1, -1};

/* ---- tiers ---- */

static enum err read_prices(struct json_reader *reader, const struct decode_input *input,
                            const struct model_where *tier, struct slice *out, struct error *error)
{
    struct buf text = BUF_EMPTY;
    struct slice kind;
    struct slice price;
    uint32_t count = 0;
    enum err err = ERR_OK;
    if (!json_object_begin(reader)) {
        return model_wrong(error, tier, "prices", "not an object");
    }
    while (err == ERR_OK && json_object_next(reader, &kind)) {
        if (kind.len == 0 || kind.len > DECODE_MODEL_KEY_MAX) {
            err = model_wrong(error, tier, "prices", "a kind of usage must have 1 to 200 bytes");
        } else if (count == DECODE_MODEL_PRICES_MAX) {
            err = model_wrong(error, tier, "prices", "too many");
        } else {
            err = model_read_price(reader, tier, "prices", &price, error);
        }
        if (err == ERR_OK && price.len > 0) {
            buf_append_char(&text, count++ == 0 ? '{' : ',');
            json_write_string(&text, kind);
            buf_append_char(&text, ':');
            buf_append_slice(&text, price);
        }
    }
    if (count > 0) {
        buf_append_char(&text, '}');
    }
    *out = count > 0 ? arena_copy(input->scratch, buf_slice(&text)) : (struct slice){NULL, 0};
    buf_finish(&text);
    return err;
}

static enum err read_tier_member(struct json_reader *reader, const struct decode_input *input,
                                 const struct model_where *where, struct slice member,
                                 struct tier *out, struct error *error)
{
    if (slice_is(member, "name")) {
        return model_read_text(reader, where, "name", DECODE_MODEL_KEY_MAX, &out->name, error);
    }
    if (slice_is(member, "isDefault")) {
        return json_bool(reader, &out->is_default)
                   ? ERR_OK
                   : model_wrong(error, where, "isDefault", "not true or false");
    }
    if (slice_is(member, "priority")) {
        struct slice number;
        return json_number(reader, &number) && json_number_int64(number, &out->priority) &&
                       out->priority >= 0
                   ? ERR_OK
                   : model_wrong(error, where, "priority", "not a whole number, or negative");
    }
    if (slice_is(member, "conditions")) {
        return model_read_conditions(reader, input, where, &out->conditions, error);
    }
    if (slice_is(member, "prices")) {
        return read_prices(reader, input, where, &out->prices, error);
    }
    json_skip(reader, NULL);
    return ERR_OK;
}

static enum err check_tier(const struct tiers *tiers, const struct tier *tier,
                           const struct model_where *where, struct error *error)
{
    if (tier->name.len == 0) {
        return model_wrong(error, where, "name", "missing");
    }
    if (tier->priority < 0) {
        return model_wrong(error, where, "priority", "missing");
    }
    if (tier->prices.len == 0) {
        return model_wrong(error, where, "prices", "there must be one at least");
    }
    if (tier->is_default && tier->priority != 0) {
        return model_wrong(error, where, "priority", "that of the default tier must be 0");
    }
    if (tier->is_default && tier->conditions.len > 0) {
        return model_wrong(error, where, "conditions", "the default tier has none");
    }
    if (!tier->is_default && tier->conditions.len == 0) {
        return model_wrong(error, where, "conditions",
                           "a tier that is not the default must have some");
    }
    for (const struct tier *other = tiers->all; other < tier; other++) {
        if (slice_equals(other->name, tier->name)) {
            return model_wrong(error, where, "name", "there is another tier of that name");
        }
        if (other->priority == tier->priority) {
            return model_wrong(error, where, "priority", "there is another tier of that priority");
        }
    }
    return ERR_OK;
}

static enum err read_tiers(const struct model *model, const struct decode_input *input,
                           struct tiers *tiers, struct error *error)
{
    struct json_reader reader;
    uint32_t defaults = 0;
    enum err err = ERR_OK;
    tiers->count = 0;
    json_reader_init(&reader, (char *)model->tiers.data, model->tiers.len, input->max_depth,
                     input->scratch);
    if (!json_array_begin(&reader)) {
        return model_wrong(error, &top, "pricingTiers", "not an array");
    }
    while (err == ERR_OK && json_array_next(&reader)) {
        struct model_where where = {tiers->count, -1};
        struct slice member;
        struct tier *tier = &tiers->all[tiers->count];
        if (tiers->count == DECODE_MODEL_TIERS_MAX) {
            return model_wrong(error, &top, "pricingTiers", "too many");
        }
        if (!json_object_begin(&reader)) {
            return model_wrong(error, &where, "", "not an object");
        }
        *tier = (struct tier){.priority = -1};
        while (err == ERR_OK && json_object_next(&reader, &member)) {
            err = read_tier_member(&reader, input, &where, member, tier, error);
        }
        err = err == ERR_OK ? check_tier(tiers, tier, &where, error) : err;
        defaults += tier->is_default;
        tiers->count++;
    }
    if (err == ERR_OK && defaults != 1) {
        err = model_wrong(error, &top, "pricingTiers", "exactly one must be the default");
    }
    return err;
}

/* Prices of the body itself are those of one tier. */
static enum err make_standard(const struct model *model, struct arena *arena, struct tiers *tiers,
                              struct error *error)
{
    struct buf text = BUF_EMPTY;
    if (model->flat[FLAT_TOTAL].len > 0 &&
        (model->flat[FLAT_INPUT].len > 0 || model->flat[FLAT_OUTPUT].len > 0)) {
        return model_wrong(error, &top, "totalPrice", "excludes inputPrice and outputPrice");
    }
    for (int i = 0; i < FLAT_COUNT; i++) {
        if (model->flat[i].len > 0) {
            buf_printf(&text, "%c\"%s\":", text.len > 0 ? ',' : '{', flat_kinds[i]);
            buf_append_slice(&text, model->flat[i]);
        }
    }
    if (text.len == 0) {
        return model_wrong(error, &top, "pricingTiers",
                           "missing, and inputPrice, outputPrice and totalPrice too");
    }
    buf_append_char(&text, '}');
    tiers->count = 1;
    tiers->all[0] = (struct tier){.name = SLICE_LITERAL("Standard"),
                                  .is_default = true,
                                  .prices = arena_copy(arena, buf_slice(&text))};
    buf_finish(&text);
    return ERR_OK;
}

static bool has_flat(const struct model *model)
{
    return model->flat[FLAT_INPUT].len > 0 || model->flat[FLAT_OUTPUT].len > 0 ||
           model->flat[FLAT_TOTAL].len > 0;
}

/* By priority, the default first. */
static void write_tiers(const struct model *model, const struct tiers *tiers, struct buf *out)
{
    int64_t last = -1;
    for (uint32_t written = 0; written < tiers->count; written++) {
        const struct tier *next = NULL;
        for (uint32_t i = 0; i < tiers->count; i++) {
            const struct tier *tier = &tiers->all[i];
            if (tier->priority > last && (next == NULL || tier->priority < next->priority)) {
                next = tier;
            }
        }
        last = next->priority;
        buf_printf(out, "%c{\"id\":\"%s-%u\",\"name\":", written == 0 ? '[' : ',', model->id,
                   (unsigned)(next - tiers->all));
        json_write_string(out, next->name);
        buf_printf(out, ",\"isDefault\":%s,\"priority\":%" PRId64 ",\"conditions\":",
                   next->is_default ? "true" : "false", next->priority);
        buf_append_slice(out, next->conditions.len > 0 ? next->conditions : SLICE_LITERAL("[]"));
        buf_append_text(out, ",\"prices\":");
        buf_append_slice(out, next->prices);
        buf_append_char(out, '}');
    }
    buf_append_char(out, ']');
}

/* ---- the model ---- */

static enum err read_member(struct json_reader *reader, struct slice member, struct model *out,
                            struct error *error)
{
    static const struct {
        const char *name;
        size_t offset, max;
    } texts[] = {
        {"modelName", offsetof(struct model, name), ROW_ID_MAX},
        {"matchPattern", offsetof(struct model, pattern), DECODE_MODEL_PATTERN_MAX},
        {"unit", offsetof(struct model, unit), DECODE_MODEL_KEY_MAX},
        {"startDate", offsetof(struct model, start_date), DECODE_MODEL_KEY_MAX},
        {"tokenizerId", offsetof(struct model, tokenizer_id), DECODE_MODEL_KEY_MAX},
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (slice_is(member, texts[i].name)) {
            struct slice *text = (struct slice *)((char *)out + texts[i].offset);
            return model_read_text(reader, &top, texts[i].name, texts[i].max, text, error);
        }
    }
    for (int i = 0; i < FLAT_COUNT; i++) {
        if (slice_is(member, flat_names[i])) {
            return model_read_price(reader, &top, flat_names[i], &out->flat[i], error);
        }
    }
    struct slice json = {NULL, 0};
    bool is_null = json_peek(reader) == JSON_NULL;
    json_skip(reader, &json);
    if (slice_is(member, "pricingTiers")) {
        out->tiers = is_null ? (struct slice){NULL, 0} : json;
    } else if (slice_is(member, "tokenizerConfig")) {
        out->tokenizer_config = is_null ? (struct slice){NULL, 0} : json;
    }
    return ERR_OK;
}

/* A date alone is its midnight, UTC. */
static enum err read_start_date(struct model *model, struct error *error)
{
    char text[32];
    struct slice date = model->start_date;
    if (date.len == 0) {
        return ERR_OK;
    }
    if (date.len == sizeof("2026-01-01") - 1) {
        snprintf(text, sizeof(text), "%.*sT00:00:00Z", (int)date.len, date.data);
        date = slice_from(text);
    }
    model->has_start = rfc3339_parse(date, &model->start_us);
    return model->has_start
               ? ERR_OK
               : model_wrong(error, &top, "startDate", "not an RFC 3339 time with an offset");
}

static enum err check_model(struct model *model, struct error *error)
{
    static const char *const units[] = {
        "TOKENS", "CHARACTERS", "MILLISECONDS", "SECONDS", "IMAGES", "REQUESTS", NULL};
    static const char *const tokenizers[] = {"openai", "claude", NULL};
    if (model->name.len == 0) {
        return model_wrong(error, &top, "modelName", "missing");
    }
    if (model->pattern.len == 0) {
        return model_wrong(error, &top, "matchPattern", "missing");
    }
    if (model_refers_back(model->pattern)) {
        return model_wrong(error, &top, "matchPattern", "back references are not supported");
    }
    if (!model_is_one_of(model->unit, units)) {
        return model_wrong(
            error, &top, "unit",
            "not one of TOKENS, CHARACTERS, MILLISECONDS, SECONDS, IMAGES, REQUESTS");
    }
    if (model->tokenizer_id.len > 0 && !model_is_one_of(model->tokenizer_id, tokenizers)) {
        return model_wrong(error, &top, "tokenizerId", "neither openai nor claude");
    }
    if (model->tiers.len > 0 && has_flat(model)) {
        return model_wrong(error, &top, "pricingTiers",
                           "excludes inputPrice, outputPrice and totalPrice");
    }
    return read_start_date(model, error);
}

static enum err read_body(const struct decode_input *input, struct model *out, struct error *error)
{
    struct json_reader reader;
    struct slice member;
    json_reader_init(&reader, input->body, input->len, input->max_depth, input->scratch);
    enum err err = json_body_begin(&reader, error);
    while (err == ERR_OK && json_object_next(&reader, &member)) {
        err = read_member(&reader, member, out, error);
    }
    return err == ERR_OK ? json_end(&reader, error) : err;
}

/* As READ_SQL_TIME has it: no digit of fraction, three, or six. */
static void write_time(struct buf *out, int64_t us)
{
    char text[RFC3339_SIZE];
    int cut = us % 1000000 == 0 ? (int)sizeof(".000000") - 1 : us % 1000 == 0 ? 3 : 0;
    int len = (int)rfc3339_format(us, text) - 1 - cut;
    buf_printf(out, "\"%.*sZ\"", len, text);
}

static void write_text_or_null(struct buf *out, const char *member, struct slice text)
{
    buf_printf(out, ",\"%s\":", member);
    if (text.len == 0) {
        buf_append_text(out, "null");
    } else {
        json_write_string(out, text);
    }
}

static struct slice json_or_null(struct slice json)
{
    return json.len > 0 ? json : SLICE_LITERAL("null");
}

/* {"kind": {"price": n}} of {"kind": n}, and the flat prices. */
static void write_default(const struct tiers *tiers, const struct decode_input *input,
                          struct buf *out)
{
    struct slice flat[FLAT_COUNT] = {{NULL, 0}};
    const struct tier *tier = tiers->all;
    struct json_reader reader;
    struct slice kind;
    struct slice price;
    uint32_t count = 0;
    while (!tier->is_default) {
        tier++;
    }
    json_reader_init(&reader, (char *)tier->prices.data, tier->prices.len, 1, input->scratch);
    json_object_begin(&reader);
    buf_append_text(out, ",\"prices\":{");
    while (json_object_next(&reader, &kind) && json_number(&reader, &price)) {
        buf_append_text(out, count++ > 0 ? "," : "");
        json_write_string(out, kind);
        buf_append_text(out, ":{\"price\":");
        buf_append_slice(out, price);
        buf_append_char(out, '}');
        for (int i = 0; i < FLAT_COUNT; i++) {
            flat[i] = slice_is(kind, flat_kinds[i]) ? price : flat[i];
        }
    }
    buf_append_char(out, '}');
    for (int i = 0; i < FLAT_COUNT; i++) {
        buf_printf(out, ",\"%s\":", flat_names[i]);
        buf_append_slice(out, json_or_null(flat[i]));
    }
}

/* As gateway/read/models.c shows it. */
static void write_note(const struct model *model, const struct tiers *tiers,
                       struct slice tiers_json, const struct decode_input *input, struct buf *out)
{
    buf_printf(out, "{\"id\":\"%s\"", model->id);
    write_text_or_null(out, "modelName", model->name);
    write_text_or_null(out, "matchPattern", model->pattern);
    buf_append_text(out, ",\"startDate\":");
    if (model->has_start) {
        write_time(out, model->start_us);
    } else {
        buf_append_text(out, "null");
    }
    write_text_or_null(out, "unit", model->unit);
    write_text_or_null(out, "tokenizerId", model->tokenizer_id);
    buf_append_text(out, ",\"tokenizerConfig\":");
    buf_append_slice(out, json_or_null(model->tokenizer_config));
    buf_append_text(out, ",\"isLangfuseManaged\":false,\"createdAt\":");
    write_time(out, input->received_us);
    write_default(tiers, input, out);
    buf_append_text(out, ",\"pricingTiers\":");
    buf_append_slice(out, tiers_json);
    buf_append_char(out, '}');
}

static enum err collect_model(const struct model *model, struct slice tiers_json,
                              const struct decode_input *input, struct collect *out,
                              struct error *error)
{
    struct row row = {.kind = ROW_MODEL, .version = version_event(input->received_us)};
    struct violation violation;
    row_set_slice(&row, MODEL_ID, slice_from(model->id));
    row_set_slice(&row, MODEL_MODEL_NAME, model->name);
    row_set_slice(&row, MODEL_MATCH_PATTERN, model->pattern);
    row_set_slice(&row, MODEL_UNIT, model->unit);
    row_set_slice(&row, MODEL_PRICING_TIERS, tiers_json);
    row_set_integer(&row, MODEL_CREATED_AT, input->received_us);
    if (model->has_start) {
        row_set_integer(&row, MODEL_START_DATE, model->start_us);
    }
    if (model->tokenizer_id.len > 0) {
        row_set_slice(&row, MODEL_TOKENIZER_ID, model->tokenizer_id);
    }
    if (model->tokenizer_config.len > 0) {
        row_set_slice(&row, MODEL_TOKENIZER_CONFIG, model->tokenizer_config);
    }
    if (!validate_row(&row, input->scratch, &violation)) {
        return model_wrong(error, &top, row_tables[ROW_MODEL].columns[violation.column].name,
                           violation.reason);
    }
    uint32_t record = collect_record(out, place, COLLECT_ALONE, ROW_MODEL, slice_from(model->id));
    collect_row(out, record, &row);
    return ERR_OK;
}

enum err decode_model(const struct decode_input *input, struct collect *out, struct error *error)
{
    struct model model = {.start_us = 0};
    struct tiers *tiers = arena_alloc(input->scratch, sizeof(*tiers));
    struct buf text = BUF_EMPTY;
    uuid_random(model.id);
    enum err err = read_body(input, &model, error);
    if (err == ERR_OK) {
        err = check_model(&model, error);
    }
    if (err == ERR_OK) {
        err = model.tiers.len > 0 ? read_tiers(&model, input, tiers, error)
                                  : make_standard(&model, input->scratch, tiers, error);
    }
    if (err == ERR_OK) {
        write_tiers(&model, tiers, &text);
        err = collect_model(&model, buf_slice(&text), input, out, error);
    }
    if (err == ERR_OK) {
        write_note(&model, tiers, buf_slice(&text), input, &out->note);
    }
    buf_finish(&text);
    return err;
}
