/* Type, name, level and status message of an observation: contract/langfuse.md sections 3.3, 3.4. */
#include <stdio.h>
#include <strings.h>

#include "gateway/ingest/otlp_view.h"

/* A word of an attribute and the type that it means. */
struct meaning {
    const char *word;
    const char *type;
};

static bool is_word(struct slice text, const char *word)
{
    return text.len == strlen(word) && strncasecmp(text.data, word, text.len) == 0;
}

/* NULL: none of them. The list ends with a NULL word. */
static const char *find_meaning(const struct meaning *meanings, struct slice text)
{
    while (meanings->word != NULL && !is_word(text, meanings->word)) {
        meanings++;
    }
    return text.len > 0 ? meanings->type : NULL;
}

static const struct meaning langfuse_types[] = {
    {"span", "SPAN"},
    {"generation", "GENERATION"},
    {"event", "EVENT"},
    {"embedding", "EMBEDDING"},
    {"agent", "AGENT"},
    {"tool", "TOOL"},
    {"chain", "CHAIN"},
    {"retriever", "RETRIEVER"},
    {"guardrail", "GUARDRAIL"},
    {"evaluator", "EVALUATOR"},
    {NULL, NULL},
};

static const struct meaning openinference_kinds[] = {
    {"LLM", "GENERATION"},      {"CHAIN", "CHAIN"},         {"RETRIEVER", "RETRIEVER"},
    {"EMBEDDING", "EMBEDDING"}, {"AGENT", "AGENT"},         {"TOOL", "TOOL"},
    {"GUARDRAIL", "GUARDRAIL"}, {"EVALUATOR", "EVALUATOR"}, {NULL, NULL},
};

static const struct meaning operation_names[] = {
    {"chat", "GENERATION"},
    {"completion", "GENERATION"},
    {"text_completion", "GENERATION"},
    {"generate_content", "GENERATION"},
    {"generate", "GENERATION"},
    {"embeddings", "EMBEDDING"},
    {"invoke_agent", "AGENT"},
    {"create_agent", "AGENT"},
    {"execute_tool", "TOOL"},
    {NULL, NULL},
};

static const struct meaning genkit_subtypes[] = {
    {"model", "GENERATION"},    {"background-model", "GENERATION"},
    {"embedder", "EMBEDDING"},  {"tool", "TOOL"},
    {"tool.v2", "TOOL"},        {"retriever", "RETRIEVER"},
    {"evaluator", "EVALUATOR"}, {NULL, NULL},
};

/* Of the Vercel AI SDK, where a model is named. */
static const struct meaning ai_model_operations[] = {
    {"ai.generateText.doGenerate", "GENERATION"},
    {"ai.generateObject.doGenerate", "GENERATION"},
    {"ai.streamText.doStream", "GENERATION"},
    {"ai.streamObject.doStream", "GENERATION"},
    {"ai.embed.doEmbed", "EMBEDDING"},
    {"ai.embedMany.doEmbed", "EMBEDDING"},
    {NULL, NULL},
};

static const struct meaning livekit_spans[] = {
    {"agent_turn", "AGENT"},
    {"start_agent_activity", "AGENT"},
    {"function_tool", "TOOL"},
    {NULL, NULL},
};

/* Of OpenLLMetry; its workflows and tasks are spans. */
static const struct meaning traceloop_kinds[] = {
    {"agent", "AGENT"},
    {"tool", "TOOL"},
    {NULL, NULL},
};

static const struct meaning mlflow_types[] = {
    {"CHAT_MODEL", "GENERATION"},
    {"LLM", "GENERATION"},
    {"CHAIN", "CHAIN"},
    {"RETRIEVER", "RETRIEVER"},
    {"EMBEDDING", "EMBEDDING"},
    {"AGENT", "AGENT"},
    {"TOOL", "TOOL"},
    {"EVALUATOR", "EVALUATOR"},
    {"GUARDRAIL", "GUARDRAIL"},
    {NULL, NULL},
};

static const uint8_t langfuse_generation_names[] = {
    NAME_LF_OBSERVATION_MODEL_NAME,
    NAME_LF_OBSERVATION_USAGE_DETAILS,
    NAME_LF_OBSERVATION_COST_DETAILS,
    NAME_END,
};

/* "3.3" and before. */
static bool is_version_to_3_3(struct slice version)
{
    int major = 0;
    int minor = 0;
    char text[16] = "";
    memcpy(text, version.data != NULL ? version.data : "",
           version.len < sizeof(text) ? version.len : sizeof(text) - 1);
    return sscanf(text, "%3d.%3d", &major, &minor) >= 1 &&
           (major < 3 || (major == 3 && minor <= 3));
}

/* The Python SDK called generations spans up to 3.3. */
static bool is_disguised(const struct otlp_view *view)
{
    return view->scope_kind == SCOPE_LANGFUSE &&
           slice_is(view_resource_text(view, NAME_TELEMETRY_SDK_LANGUAGE), "python") &&
           is_version_to_3_3(view->scope_version) &&
           view_first(view, langfuse_generation_names) != NULL;
}

static const char *langfuse_type(const struct otlp_view *view)
{
    const char *type = find_meaning(langfuse_types, view_text_of(view, NAME_LF_OBSERVATION_TYPE));
    return type != NULL && strcmp(type, "SPAN") == 0 && is_disguised(view) ? "GENERATION" : type;
}

static bool begins(struct slice text, const char *prefix)
{
    size_t len = strlen(prefix);
    return text.len >= len && memcmp(text.data, prefix, len) == 0;
}

static const char *ai_type(const struct otlp_view *view)
{
    static const uint8_t models[] = {NAME_AI_MODEL_ID, NAME_GEN_AI_REQUEST_MODEL,
                                     NAME_GEN_AI_RESPONSE_MODEL, NAME_END};
    struct slice operation = view_text_of(view, NAME_OPERATION_NAME);
    struct slice id = view_text_of(view, NAME_AI_OPERATION_ID);
    if (view_first(view, models) != NULL) {
        for (const struct meaning *m = ai_model_operations; m->word != NULL; m++) {
            if (begins(operation, m->word) || slice_is(id, m->word)) {
                return m->type;
            }
        }
    }
    return begins(operation, "ai.toolCall") || slice_is(id, "ai.toolCall") ? "TOOL" : NULL;
}

static const char *tool_type(const struct otlp_view *view)
{
    static const uint8_t names[] = {NAME_GEN_AI_TOOL_NAME, NAME_GEN_AI_TOOL_CALL_ID, NAME_END};
    return view_first(view, names) != NULL || view_has_group(view, GROUP_FLUE_TOOL) ? "TOOL" : NULL;
}

static const char *find_type(const struct otlp_view *view)
{
    const char *type = langfuse_type(view);
    if (type == NULL) {
        type = find_meaning(openinference_kinds, view_text_of(view, NAME_OPENINFERENCE_SPAN_KIND));
    }
    if (type == NULL) {
        type = find_meaning(operation_names, view_text_of(view, NAME_GEN_AI_OPERATION_NAME));
    }
    if (type == NULL) {
        type = find_meaning(genkit_subtypes, view_text_of(view, NAME_GENKIT_METADATA_SUBTYPE));
    }
    if (type == NULL) {
        type = ai_type(view);
    }
    if (type == NULL) {
        type = tool_type(view);
    }
    if (type == NULL && view_has_group(view, GROUP_FLUE_TASK)) {
        type = "AGENT";
    }
    if (type == NULL && view->scope_kind == SCOPE_LIVEKIT) {
        type = find_meaning(livekit_spans, view->span->name);
    }
    if (type == NULL) {
        type = find_meaning(traceloop_kinds, view_text_of(view, NAME_TRACELOOP_SPAN_KIND));
    }
    if (type == NULL) {
        type = find_meaning(mlflow_types,
                            view_unquoted(view, view_text_of(view, NAME_MLFLOW_SPAN_TYPE)));
    }
    return type != NULL ? type : otlp_has_model(view) ? "GENERATION" : "SPAN";
}

static struct slice find_name(struct otlp_view *view)
{
    static const uint8_t names[] = {NAME_GEN_AI_TOOL_NAME, NAME_GENKIT_NAME, NAME_LOGFIRE_MSG,
                                    NAME_AI_TOOL_CALL_NAME, NAME_END};
    struct slice name = view_text(view, names);
    struct slice operation = view_text_of(view, NAME_AI_OPERATION_ID);
    struct slice function = view_text_of(view, NAME_AI_TELEMETRY_FUNCTION_ID);
    if (name.len > 0) {
        return name;
    }
    if (operation.len == 0 || function.len == 0) {
        return operation.len > 0 ? operation : view->span->name;
    }
    buf_reset(&view->text);
    buf_append_slice(&view->text, function);
    buf_append_char(&view->text, ':');
    buf_append_slice(&view->text, operation);
    return view_take(view);
}

static const struct meaning levels[] = {
    {"debug", "DEBUG"},     {"trace", "DEBUG"},     {"verbose", "DEBUG"},  {"default", "DEFAULT"},
    {"info", "DEFAULT"},    {"log", "DEFAULT"},     {"notice", "DEFAULT"}, {"ok", "DEFAULT"},
    {"success", "DEFAULT"}, {"warning", "WARNING"}, {"warn", "WARNING"},   {"error", "ERROR"},
    {"fatal", "ERROR"},     {"critical", "ERROR"},  {NULL, NULL},
};

/* What is said beats the status. */
static const char *find_level(const struct otlp_view *view)
{
    const char *level = find_meaning(levels, view_text_of(view, NAME_LF_OBSERVATION_LEVEL));
    return level == NULL && view->span->status.code == OTLP_STATUS_ERROR ? "ERROR" : level;
}

/* What is said, else the status's, else what the last exception of a failure says. */
static struct slice find_status_message(const struct otlp_view *view)
{
    const struct otlp_span *span = view->span;
    struct slice message = view_text_of(view, NAME_LF_OBSERVATION_STATUS_MESSAGE);
    message = message.len > 0 ? message : span->status.message;
    uint32_t left = span->status.code == OTLP_STATUS_ERROR ? span->events.count : 0;
    while (message.len == 0 && left-- > 0) {
        const struct otlp_event *event = &span->events.list[left];
        const struct any *any = slice_is(event->name, "exception")
                                    ? attributes_find(&event->attributes, "exception.message")
                                    : NULL;
        message = any != NULL ? any_text(any, view->arena) : message;
    }
    return message;
}

void otlp_kind_to_row(struct otlp_view *view, struct row *row)
{
    const char *level = find_level(view);
    struct slice message = find_status_message(view);
    row_set_slice(row, OBSERVATION_TYPE, slice_from(find_type(view)));
    view_set_text(row, OBSERVATION_NAME, find_name(view));
    if (level != NULL) {
        row_set_slice(row, OBSERVATION_LEVEL, slice_from(level));
    }
    if (message.len > 0) {
        row_set_slice(row, OBSERVATION_STATUS_MESSAGE, message);
    }
}
