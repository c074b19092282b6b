/* Model, parameters, prompt and the time of the first token: contract/langfuse.md section 3.4. */
#include <math.h>

#include "common/json_write.h"
#include "common/rfc3339.h"
#include "gateway/ingest/otlp_view.h"
#include "gateway/ingest/usage.h"

static const uint8_t model_names[] = {
    NAME_LF_OBSERVATION_MODEL_NAME,
    NAME_LF_GENERATION_MODEL, /* of the reference xtrace server, before gen_ai's as there */
    NAME_GEN_AI_RESPONSE_MODEL,
    NAME_AI_MODEL_ID,
    NAME_GEN_AI_REQUEST_MODEL,
    NAME_LLM_RESPONSE_MODEL,
    NAME_LLM_MODEL_NAME,
    NAME_MLFLOW_LLM_MODEL,
    NAME_MODEL,
    NAME_EMBEDDING_MODEL_NAME,
    NAME_RERANKER_MODEL_NAME,
    NAME_END,
};

bool otlp_has_model(const struct otlp_view *view)
{
    static const uint8_t names[] = {
        NAME_LF_OBSERVATION_MODEL_NAME,
        NAME_GEN_AI_REQUEST_MODEL,
        NAME_GEN_AI_RESPONSE_MODEL,
        NAME_LLM_MODEL_NAME,
        NAME_MODEL,
        NAME_LF_GENERATION_MODEL,
        NAME_END,
    };
    return view_first(view, names) != NULL;
}

/* They repeat what their children used. */
static bool is_agent_aggregate(const struct otlp_view *view)
{
    static const char *const operations[] = {"invoke_agent", "agent_step", NULL};
    return view_is_one_of(view, NAME_GEN_AI_OPERATION_NAME, operations);
}

/* A call that failed has no answer that names the model: OpenInference then says only what was asked for. */
static struct slice invoked_model(const struct otlp_view *view)
{
    const struct attribute *attribute = view_find(view, NAME_LLM_INVOCATION_PARAMETERS);
    struct slice json;
    struct slice model;
    struct json_reader reader;
    if (attribute == NULL || attribute->value.type != ANY_STRING ||
        !text_is_json(attribute->value.text, JSON_OBJECT, view->arena, &json) ||
        !json_member(json, "model", view->arena, &model)) {
        return (struct slice){NULL, 0};
    }
    json_reader_init(&reader, (char *)model.data, model.len, 1, view->arena);
    return json_string(&reader, &json) ? json : (struct slice){NULL, 0};
}

static struct slice find_model(const struct otlp_view *view)
{
    static const char *const genkit_models[] = {"model", "background-model", NULL};
    struct slice model = view_unquoted(view, view_text(view, model_names)); /* MLflow quotes */
    if (model.len == 0) {
        model = invoked_model(view);
    }
    if (model.len == 0 && view_is_one_of(view, NAME_GENKIT_METADATA_SUBTYPE, genkit_models)) {
        model = view_text_of(view, NAME_GENKIT_NAME);
    }
    return model;
}

/* ---- parameters ---- */

/* Begins the next member; false: it has no value. */
static void write_key(struct buf *out, struct slice key)
{
    buf_append_char(out, out->len > 0 ? ',' : '{');
    json_write_string(out, key);
    buf_append_char(out, ':');
}

/* What is neither string nor number becomes its JSON text; null is left out. */
static void write_parameter(struct otlp_view *view, struct buf *out, struct slice key,
                            const struct any *any)
{
    if (any->type == ANY_NULL) {
        return;
    }
    write_key(out, key);
    if (any->type == ANY_BOOL || any->type == ANY_ARRAY || any->type == ANY_MAP) {
        json_write_string(out, any_text(any, view->arena));
    } else {
        any_print(any, out);
    }
}

static void write_raw_parameter(struct buf *out, struct slice key, struct json_reader *reader)
{
    struct slice raw;
    enum json_type type = json_peek(reader);
    json_skip(reader, &raw);
    if (type == JSON_NULL) {
        return;
    }
    write_key(out, key);
    if (type == JSON_STRING || type == JSON_NUMBER) {
        buf_append_slice(out, raw);
    } else {
        json_write_string(out, raw);
    }
}

/* Of an attribute that is an object, as JSON text or as a map. False: it is none. */
static bool write_parameters_of(struct otlp_view *view, struct buf *out,
                                const struct attribute *attribute)
{
    struct json_reader reader;
    struct slice json;
    struct slice key;
    if (attribute == NULL) {
        return false;
    }
    if (attribute->value.type == ANY_MAP) {
        for (uint32_t i = 0; i < attribute->value.count; i++) {
            write_parameter(view, out, attribute->value.members[i].key,
                            &attribute->value.members[i].value);
        }
        return true;
    }
    if (attribute->value.type != ANY_STRING ||
        !text_is_json(attribute->value.text, JSON_OBJECT, view->arena, &json)) {
        return false;
    }
    json_reader_init(&reader, (char *)json.data, json.len, JSON_DEPTH_MAX, view->arena);
    json_object_begin(&reader);
    while (json_object_next(&reader, &key)) {
        write_raw_parameter(out, key, &reader);
    }
    return true;
}

/* Of the Vercel AI SDK: a fixed set, all of them strings. */
static void write_ai_parameters(struct otlp_view *view, struct buf *out)
{
    static const struct {
        const char *key;
        uint8_t names[4];
    } parameters[] = {
        {"maxSteps", {NAME_AI_SETTINGS_MAX_STEPS, NAME_END}},
        {"toolChoice", {NAME_AI_PROMPT_TOOL_CHOICE, NAME_END}},
        {"maxTokens",
         {NAME_GEN_AI_REQUEST_MAX_TOKENS, NAME_AI_SETTINGS_MAX_TOKENS,
          NAME_AI_SETTINGS_MAX_OUTPUT_TOKENS, NAME_END}},
        {"finishReason", {NAME_GEN_AI_RESPONSE_FINISH_REASONS, NAME_END}},
        {"system", {NAME_GEN_AI_SYSTEM, NAME_GEN_AI_PROVIDER_NAME, NAME_END}},
        {"maxRetries", {NAME_AI_SETTINGS_MAX_RETRIES, NAME_END}},
        {"mode", {NAME_AI_SETTINGS_MODE, NAME_END}},
        {"temperature", {NAME_GEN_AI_REQUEST_TEMPERATURE, NAME_AI_SETTINGS_TEMPERATURE, NAME_END}},
        {"service_tier",
         {NAME_GEN_AI_REQUEST_SERVICE_TIER, NAME_GEN_AI_OPENAI_REQUEST_SERVICE_TIER, NAME_END}},
    };
    for (size_t i = 0; i < sizeof(parameters) / sizeof(parameters[0]); i++) {
        struct slice text = view_text(view, parameters[i].names);
        if (text.len > 0) {
            write_key(out, slice_from(parameters[i].key));
            json_write_string(out, text);
        }
    }
}

static void write_group_parameters(struct otlp_view *view, struct buf *out)
{
    const struct attributes *attributes = &view->span->attributes;
    for (uint32_t i = 0; i < attributes->count; i++) {
        const struct attribute *attribute = &attributes->list[i];
        bool member = attribute->group == GROUP_GEN_AI_REQUEST ||
                      attribute->group == GROUP_LLM_INVOCATION_PARAMETERS;
        if (member && !slice_is(otlp_group_key(attribute), "model")) {
            write_parameter(view, out, otlp_group_key(attribute), &attribute->value);
        }
    }
}

static void parameters_to_row(struct otlp_view *view, struct row *row)
{
    struct buf text = BUF_EMPTY;
    if (!write_parameters_of(view, &text, view_find(view, NAME_LF_OBSERVATION_MODEL_PARAMETERS))) {
        if (view->scope_kind == SCOPE_AI) {
            write_ai_parameters(view, &text);
        } else if (!write_parameters_of(view, &text,
                                        view_find(view, NAME_LLM_INVOCATION_PARAMETERS)) &&
                   !write_parameters_of(view, &text, view_find(view, NAME_MODEL_CONFIG))) {
            write_group_parameters(view, &text);
        }
    }
    if (text.len > 0) {
        buf_append_char(&text, '}');
        row_set_slice(row, OBSERVATION_MODEL_PARAMETERS, arena_copy(view->arena, buf_slice(&text)));
    }
    buf_finish(&text);
}

/* ---- prompt and the first token ---- */

static void prompt_to_row(struct otlp_view *view, struct row *row)
{
    static const uint8_t names[] = {NAME_LF_OBSERVATION_PROMPT_NAME, NAME_LF_PROMPT_NAME, NAME_END};
    static const uint8_t versions[] = {NAME_LF_OBSERVATION_PROMPT_VERSION, NAME_LF_PROMPT_VERSION,
                                       NAME_END};
    struct slice name = view_text(view, names);
    struct slice version = view_text(view, versions);
    struct slice json;
    if (name.len == 0 &&
        text_is_json(view_text_of(view, NAME_AI_TELEMETRY_METADATA_LANGFUSE_PROMPT), JSON_OBJECT,
                     view->arena, &json)) {
        struct slice raw;
        struct json_reader reader;
        if (json_member(json, "name", view->arena, &raw)) {
            json_reader_init(&reader, (char *)raw.data, raw.len, 1, view->arena);
            json_string(&reader, &name);
        }
        if (json_member(json, "version", view->arena, &raw) && raw.data[0] != '"') {
            version = raw;
        }
    }
    view_set_text(row, OBSERVATION_PROMPT_NAME, name);
    view_set_text(row, OBSERVATION_PROMPT_VERSION, version);
}

static bool read_amount(struct otlp_view *view, const uint8_t *names, double *out)
{
    struct slice number;
    const struct attribute *attribute = view_first(view, names);
    return attribute != NULL && any_amount(&attribute->value, view->arena, &number) &&
           json_number_double(number, out);
}

static void completion_start_to_row(struct otlp_view *view, int64_t start_us, struct row *row)
{
    static const uint8_t in_ms[] = {NAME_AI_RESPONSE_MS_TO_FIRST_CHUNK,
                                    NAME_AI_STREAM_MS_TO_FIRST_CHUNK, NAME_END};
    /* OpenTelemetry's conventions; the Vercel AI SDK has them since version 7. */
    static const uint8_t in_seconds[] = {NAME_GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK,
                                         NAME_GEN_AI_CLIENT_TIME_TO_FIRST_CHUNK, NAME_END};
    int64_t time_us;
    double wait;
    struct slice start = view_text_of(view, NAME_LF_OBSERVATION_COMPLETION_START_TIME);
    if (rfc3339_parse(view_unquoted(view, start), &time_us)) {
        row_set_integer(row, OBSERVATION_COMPLETION_START_TIME, time_us);
    } else if (read_amount(view, in_ms, &wait) && wait < 1e12) {
        row_set_integer(row, OBSERVATION_COMPLETION_START_TIME,
                        start_us + (int64_t)ceil(wait) * 1000);
    } else if (read_amount(view, in_seconds, &wait) && wait < 1e9) {
        row_set_integer(row, OBSERVATION_COMPLETION_START_TIME, start_us + llround(wait * 1e6));
    }
}

void otlp_model_to_row(struct otlp_view *view, int64_t start_us, struct row *row)
{
    struct usage usage;
    struct costs costs;
    usage.count = 0;
    costs.count = 0;
    if (!is_agent_aggregate(view)) {
        struct slice model = find_model(view);
        if (model.len > 0) {
            row_set_slice(row, OBSERVATION_MODEL, model);
        }
        otlp_usage_find(view, &usage);
        otlp_costs_find(view, &costs);
    }
    usage_to_row(&usage, view->arena, row);
    costs_to_row(&costs, view->arena, row);
    if (costs.count == 0 && otlp_costs_are_inside(view)) {
        /* Costs are given, and there are none: so the writer computes none. */
        row_set_slice(row, OBSERVATION_COST_DETAILS, SLICE_LITERAL("{}"));
    }
    parameters_to_row(view, row);
    if (slice_is(row->values[OBSERVATION_TYPE].slice, "GENERATION")) {
        prompt_to_row(view, row);
    }
    completion_start_to_row(view, start_us, row);
}
