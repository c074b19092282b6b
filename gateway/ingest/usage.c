#include "gateway/ingest/usage.h"

#include <inttypes.h>
#include <string.h>

#include "common/decimal.h"
#include "common/json_read.h"
#include "common/json_write.h"
#include "common/money.h"
#include "gateway/ingest/otlp_any.h"
#include "gateway/ingest/validate.h"

static struct usage_entry *find(const struct usage *usage, struct slice key)
{
    for (uint32_t i = 0; i < usage->count; i++) {
        if (slice_equals(usage->entries[i].key, key)) {
            return (struct usage_entry *)&usage->entries[i];
        }
    }
    return NULL;
}

void usage_set(struct usage *usage, struct slice key, int64_t tokens)
{
    if (tokens < 0 || tokens > VALIDATE_TOKENS_MAX || key.len > USAGE_KEY_MAX) {
        return;
    }
    struct usage_entry *entry = find(usage, key);
    if (entry == NULL) {
        if (usage->count == USAGE_KEYS_MAX) {
            return;
        }
        entry = &usage->entries[usage->count++];
        entry->key = key;
    }
    entry->tokens = tokens;
}

int64_t usage_get(const struct usage *usage, const char *key)
{
    const struct usage_entry *entry = find(usage, slice_from(key));
    return entry != NULL ? entry->tokens : -1;
}

void usage_subtract(struct usage *usage, const char *whole, const char *part)
{
    struct usage_entry *entry = find(usage, slice_from(whole));
    int64_t tokens = usage_get(usage, part);
    if (entry != NULL && tokens > 0) {
        entry->tokens = entry->tokens > tokens ? entry->tokens - tokens : 0;
    }
}

/* ---- reading ---- */

static void begin(struct json_reader *reader, struct slice json, struct arena *arena)
{
    json_reader_init(reader, (char *)json.data, json.len, JSON_DEPTH_MAX, arena);
}

/* A whole number, or digits in a string. */
static bool read_count(struct json_reader *reader, int64_t *out)
{
    struct any any = {.type = ANY_STRING};
    if (json_number(reader, &any.text) || json_string(reader, &any.text)) {
        return any_count(&any, out);
    }
    json_skip(reader, NULL);
    return false;
}

/* The names of OpenAI's two forms. */
struct form_names {
    const char *input, *output, *input_details, *output_details;
};

static const struct form_names openai_forms[] = {
    {"prompt_tokens", "completion_tokens", "prompt_tokens_details", "completion_tokens_details"},
    {"input_tokens", "output_tokens", "input_tokens_details", "output_tokens_details"},
};

static bool is_details(struct json_reader *reader)
{
    enum json_type type = json_peek(reader);
    json_skip(reader, NULL);
    return type == JSON_NULL || type == JSON_OBJECT;
}

/* Has the three counts, and nothing but them and the details. */
static bool is_form(const struct form_names *form, struct slice json, struct arena *arena)
{
    struct json_reader reader;
    struct slice key;
    int counts = 0;
    int64_t tokens;
    begin(&reader, json, arena);
    if (!json_object_begin(&reader)) {
        return false;
    }
    while (json_object_next(&reader, &key)) {
        bool good;
        if (slice_is(key, form->input) || slice_is(key, form->output) ||
            slice_is(key, "total_tokens")) {
            good = read_count(&reader, &tokens) && tokens >= 0;
            counts++;
        } else {
            good = (slice_is(key, form->input_details) || slice_is(key, form->output_details)) &&
                   is_details(&reader);
        }
        if (!good) {
            return false;
        }
    }
    return counts == 3;
}

static struct slice joined(const char *prefix, struct slice key, struct arena *arena)
{
    size_t len = strlen(prefix);
    char *text = arena_alloc(arena, len + key.len);
    memcpy(text, prefix, len);
    if (key.len > 0) {
        memcpy(text + len, key.data, key.len);
    }
    return (struct slice){text, len + key.len};
}

/* Each detail k becomes input_k; the reader stands before the object. */
static void read_details(struct usage *usage, struct json_reader *reader, const char *prefix,
                         struct arena *arena)
{
    struct slice key;
    int64_t tokens;
    if (!json_object_begin(reader)) {
        json_skip(reader, NULL);
        return;
    }
    while (json_object_next(reader, &key)) {
        if (read_count(reader, &tokens)) {
            usage_set(usage, joined(prefix, key, arena), tokens);
        }
    }
}

static bool begins(struct slice text, const char *prefix)
{
    size_t len = strlen(prefix);
    return text.len > len && memcmp(text.data, prefix, len) == 0;
}

static void subtract_details(struct usage *usage, const char *whole, const char *prefix)
{
    struct usage_entry *entry = find(usage, slice_from(whole));
    for (uint32_t i = 0; entry != NULL && i < usage->count; i++) {
        if (begins(usage->entries[i].key, prefix)) {
            int64_t tokens = usage->entries[i].tokens;
            entry->tokens = entry->tokens > tokens ? entry->tokens - tokens : 0;
        }
    }
}

static void read_form(struct usage *usage, const struct form_names *form, struct slice json,
                      struct arena *arena)
{
    struct json_reader reader;
    struct slice key;
    int64_t tokens;
    begin(&reader, json, arena);
    json_object_begin(&reader);
    while (json_object_next(&reader, &key)) {
        if (slice_is(key, form->input_details)) {
            read_details(usage, &reader, "input_", arena);
        } else if (slice_is(key, form->output_details)) {
            read_details(usage, &reader, "output_", arena);
        } else if (read_count(&reader, &tokens)) {
            const char *name = slice_is(key, form->input)    ? "input"
                               : slice_is(key, form->output) ? "output"
                                                             : "total";
            usage_set(usage, slice_from(name), tokens);
        }
    }
    subtract_details(usage, "input", "input_");
    subtract_details(usage, "output", "output_");
}

/* The spelling of the reference xtrace server. */
static struct slice plain_name(struct slice key)
{
    static const char *const names[][2] = {
        {"promptTokens", "input"}, {"completionTokens", "output"}, {"totalTokens", "total"}};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (slice_is(key, names[i][0])) {
            return slice_from(names[i][1]);
        }
    }
    return key;
}

static void read_free(struct usage *usage, struct slice json, struct arena *arena)
{
    struct json_reader reader;
    struct slice key;
    int64_t tokens;
    begin(&reader, json, arena);
    if (!json_object_begin(&reader)) {
        return;
    }
    while (json_object_next(&reader, &key)) {
        if (read_count(&reader, &tokens)) {
            usage_set(usage, plain_name(key), tokens);
        }
    }
}

void usage_read(struct usage *usage, struct slice json, struct arena *arena)
{
    for (size_t i = 0; i < sizeof(openai_forms) / sizeof(openai_forms[0]); i++) {
        if (is_form(&openai_forms[i], json, arena)) {
            read_form(usage, &openai_forms[i], json, arena);
            return;
        }
    }
    read_free(usage, json, arena);
}

/* ---- sums ---- */

static int64_t add(int64_t a, int64_t b)
{
    return a > VALIDATE_TOKENS_MAX - b ? VALIDATE_TOKENS_MAX : a + b;
}

void usage_add_total(struct usage *usage)
{
    int64_t total = 0;
    if (usage->count == 0 || usage_get(usage, "total") >= 0) {
        return;
    }
    for (uint32_t i = 0; i < usage->count; i++) {
        total = add(total, usage->entries[i].tokens);
    }
    usage_set(usage, SLICE_LITERAL("total"), total);
}

static bool contains(struct slice key, const char *word)
{
    return key.len > 0 && memmem(key.data, key.len, word, strlen(word)) != NULL;
}

int64_t usage_sum(const struct usage *usage, const char *word)
{
    int64_t sum = -1;
    for (uint32_t i = 0; i < usage->count; i++) {
        if (contains(usage->entries[i].key, word)) {
            sum = add(sum < 0 ? 0 : sum, usage->entries[i].tokens);
        }
    }
    return sum;
}

static struct slice take(struct buf *text, struct arena *arena)
{
    struct slice copy = arena_copy(arena, buf_slice(text));
    buf_finish(text);
    return copy;
}

/* Of keys that do not say input or output, OpenAI's own names still say what is meant. */
static void set_sum(const struct usage *usage, struct row *row, uint32_t column, const char *word,
                    const char *other)
{
    int64_t sum = usage_sum(usage, word);
    sum = sum >= 0 ? sum : usage_get(usage, other);
    if (sum >= 0) {
        row_set_integer(row, column, sum);
    }
}

void usage_to_row(const struct usage *usage, struct arena *arena, struct row *row)
{
    struct buf text = BUF_EMPTY;
    buf_append_char(&text, '{');
    for (uint32_t i = 0; i < usage->count; i++) {
        buf_append_text(&text, i > 0 ? "," : "");
        json_write_string(&text, usage->entries[i].key);
        buf_printf(&text, ":%" PRId64, usage->entries[i].tokens);
    }
    buf_append_char(&text, '}');
    row_set_slice(row, OBSERVATION_USAGE_DETAILS, take(&text, arena));
    set_sum(usage, row, OBSERVATION_PROMPT_TOKENS, "input", "prompt_tokens");
    set_sum(usage, row, OBSERVATION_COMPLETION_TOKENS, "output", "completion_tokens");
    int64_t total = usage_get(usage, "total");
    if (total >= 0) {
        row_set_integer(row, OBSERVATION_TOTAL_TOKENS, total);
    }
}

/* ---- costs ---- */

void costs_set(struct costs *costs, struct slice key, struct slice amount)
{
    if (amount.len == 0 || amount.data[0] == '-' || key.len > USAGE_KEY_MAX ||
        !decimal_is_storable(amount)) {
        return;
    }
    for (uint32_t i = 0; i < costs->count; i++) {
        if (slice_equals(costs->entries[i].key, key)) {
            costs->entries[i].amount = amount;
            return;
        }
    }
    if (costs->count < USAGE_KEYS_MAX) {
        costs->entries[costs->count++] = (struct costs_entry){key, amount};
    }
}

void costs_read(struct costs *costs, struct slice json, struct arena *arena)
{
    struct json_reader reader;
    struct slice key;
    struct slice amount;
    begin(&reader, json, arena);
    if (!json_object_begin(&reader)) {
        return;
    }
    while (json_object_next(&reader, &key)) {
        if (json_number(&reader, &amount)) {
            costs_set(costs, key, amount);
        } else {
            json_skip(&reader, NULL);
        }
    }
}

static struct slice costs_get(const struct costs *costs, const char *key)
{
    for (uint32_t i = 0; i < costs->count; i++) {
        if (slice_is(costs->entries[i].key, key)) {
            return costs->entries[i].amount;
        }
    }
    return (struct slice){NULL, 0};
}

/* Sum of the keys that contain the word; empty: none, or too many digits. One alone stays as it is. */
static struct slice costs_sum(const struct costs *costs, const char *word, struct arena *arena)
{
    struct slice first = {NULL, 0};
    struct money sum = {{0}};
    uint32_t count = 0;
    bool good = true;
    for (uint32_t i = 0; i < costs->count; i++) {
        struct slice amount = costs->entries[i].amount;
        struct money more;
        if (contains(costs->entries[i].key, word)) {
            first = count++ == 0 ? amount : first;
            good = money_parse_amount(amount, &more) && good;
            money_add(&sum, &more);
        }
    }
    if (count < 2) {
        return first;
    }
    struct buf text = BUF_EMPTY;
    if (good) {
        money_print(&sum, &text);
    }
    return take(&text, arena);
}

void costs_add_total(struct costs *costs, struct arena *arena)
{
    if (costs_get(costs, "total").len > 0) {
        return;
    }
    for (uint32_t i = 0; i < costs->count; i++) {
        if (!slice_is(costs->entries[i].key, "input") &&
            !slice_is(costs->entries[i].key, "output")) {
            return;
        }
    }
    costs_set(costs, SLICE_LITERAL("total"), costs_sum(costs, "", arena));
}

static void set_amount(struct row *row, uint32_t column, struct slice amount)
{
    if (amount.len > 0 && decimal_is_storable(amount)) {
        row_set_slice(row, column, amount);
    }
}

void costs_to_row(const struct costs *costs, struct arena *arena, struct row *row)
{
    struct buf text = BUF_EMPTY;
    if (costs->count == 0) {
        return;
    }
    for (uint32_t i = 0; i < costs->count; i++) {
        buf_append_char(&text, i > 0 ? ',' : '{');
        json_write_string(&text, costs->entries[i].key);
        buf_append_char(&text, ':');
        buf_append_slice(&text, costs->entries[i].amount);
    }
    buf_append_char(&text, '}');
    row_set_slice(row, OBSERVATION_COST_DETAILS, take(&text, arena));
    struct slice total = costs_get(costs, "total");
    if (total.len > 0) {
        set_amount(row, OBSERVATION_INPUT_COST, costs_sum(costs, "input", arena));
        set_amount(row, OBSERVATION_OUTPUT_COST, costs_sum(costs, "output", arena));
        set_amount(row, OBSERVATION_TOTAL_COST, total);
    }
}
