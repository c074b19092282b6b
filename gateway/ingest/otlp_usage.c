/* Token counts and costs of a span: contract/langfuse.md sections 2.5 and 3.4. */
#include "gateway/ingest/usage.h"

#include "gateway/ingest/otlp_view.h"

/* Where the count of a key comes from, the first wins. All of them are used up. */
struct usage_source {
    const char *key;
    const char *suffixes[10]; /* behind gen_ai.usage. or llm.token_count. */
};

#define CACHE_READ                                                                                 \
    "cache_read.input_tokens", "cache_read_input_tokens", "cache_read_tokens",                     \
        "details.cache_read.input_tokens", "details.cache_read_input_tokens",                      \
        "details.cache_read_tokens", "prompt_details.cache_read", "input_cached_tokens"
#define CACHE_CREATION                                                                             \
    "cache_creation.input_tokens", "cache_creation_input_tokens", "cache_write_tokens",            \
        "details.cache_creation.input_tokens", "details.cache_creation_input_tokens",              \
        "details.cache_write_tokens", "prompt_details.cache_write", "input_cache_creation"

static const struct usage_source usage_sources[] = {
    {"input", {"prompt_tokens", "input_tokens", "prompt"}},
    {"output", {"completion_tokens", "output_tokens", "completion"}},
    {"total", {"total_tokens", "total"}},
    {"input_cached_tokens", {CACHE_READ}},
    {"input_cache_creation", {CACHE_CREATION}},
    {"output_reasoning_tokens",
     {"reasoning.output_tokens", "completion_details.reasoning", "output_reasoning_tokens"}},
    {"output_audio_tokens", {"completion_details.audio", "output_audio_tokens"}},
};

enum { USAGE_SOURCE_COUNT = sizeof(usage_sources) / sizeof(usage_sources[0]) };

/* The key that a suffix counts for, and how early it stands in its list. */
static const char *find_source(struct slice suffix, int *rank)
{
    for (int i = 0; i < USAGE_SOURCE_COUNT; i++) {
        for (*rank = 0; usage_sources[i].suffixes[*rank] != NULL; ++*rank) {
            if (slice_is(suffix, usage_sources[i].suffixes[*rank])) {
                return usage_sources[i].key;
            }
        }
    }
    return NULL;
}

static struct slice without_details(struct slice suffix)
{
    size_t len = strlen("details.");
    bool details = suffix.len > len && memcmp(suffix.data, "details.", len) == 0;
    return details ? (struct slice){suffix.data + len, suffix.len - len} : suffix;
}

/* Kinds of tokens that Pydantic AI repeats below details., as its providers name them: they are within input or
 * output, or were told under another name, so no total counts them again. */
static const char *const repeated_details[] = {
    "reasoning_tokens",           "thoughts_tokens",
    "cached_content_tokens",      "audio_tokens",
    "accepted_prediction_tokens", "rejected_prediction_tokens",
};

enum { REPEATED_COUNT = sizeof(repeated_details) / sizeof(repeated_details[0]) };

static bool is_repeated_detail(const struct attribute *attribute)
{
    struct slice suffix = otlp_group_key(attribute);
    struct slice detail = without_details(suffix);
    for (int i = 0; i < REPEATED_COUNT && detail.len < suffix.len; i++) {
        if (slice_is(detail, repeated_details[i])) {
            return true;
        }
    }
    return false;
}

/* Where no total is given. */
static void add_total_without_repeated(const struct attributes *attributes, struct usage *usage)
{
    struct usage counted = *usage;
    for (uint32_t i = 0; i < attributes->count; i++) {
        if (attributes->list[i].group == GROUP_GEN_AI_USAGE &&
            is_repeated_detail(&attributes->list[i])) {
            usage_set(&counted, without_details(otlp_group_key(&attributes->list[i])), 0);
        }
    }
    usage_add_total(&counted);
    usage_set(usage, SLICE_LITERAL("total"), usage_get(&counted, "total"));
}

/* ranks: of what usage has so far. */
static void read_count(struct usage *usage, int *ranks, const struct attribute *attribute)
{
    int64_t tokens;
    int rank;
    struct slice suffix = otlp_group_key(attribute);
    if (attribute->name == NAME_GEN_AI_USAGE_COST || !any_count(&attribute->value, &tokens)) {
        return;
    }
    const char *key = find_source(suffix, &rank);
    if (key == NULL) {
        usage_set(usage, without_details(suffix), tokens);
        return;
    }
    for (int i = 0; i < USAGE_SOURCE_COUNT; i++) {
        if (usage_sources[i].key == key && rank < ranks[i]) {
            ranks[i] = rank;
            usage_set(usage, slice_from(key), tokens);
        }
    }
}

static void subtract_kinds(struct usage *usage)
{
    usage_subtract(usage, "input", "input_cached_tokens");
    usage_subtract(usage, "input", "input_cache_creation");
    usage_subtract(usage, "output", "output_reasoning_tokens");
    usage_subtract(usage, "output", "output_audio_tokens");
}

static void read_generic_usage(const struct otlp_view *view, struct usage *usage)
{
    const struct attributes *attributes = &view->span->attributes;
    int ranks[USAGE_SOURCE_COUNT];
    for (int i = 0; i < USAGE_SOURCE_COUNT; i++) {
        ranks[i] = 100;
    }
    if (!view_has_group(view, GROUP_GEN_AI_USAGE) && !view_has_group(view, GROUP_LLM_TOKEN_COUNT)) {
        return;
    }
    for (uint32_t i = 0; i < attributes->count; i++) {
        if (attributes->list[i].group == GROUP_GEN_AI_USAGE ||
            attributes->list[i].group == GROUP_LLM_TOKEN_COUNT) {
            read_count(usage, ranks, &attributes->list[i]);
        }
    }
    subtract_kinds(usage);
    add_total_without_repeated(attributes, usage);
}

static void read_first(const struct otlp_view *view, struct usage *usage, const char *key,
                       const uint8_t *names)
{
    int64_t tokens;
    const struct attribute *attribute = view_first(view, names);
    if (attribute != NULL && any_count(&attribute->value, &tokens)) {
        usage_set(usage, slice_from(key), tokens);
    }
}

/* Counts that providers give inside ai.response.providerMetadata. */
static const struct {
    const char *path[3]; /* members within each other */
    const char *key;
} provider_counts[] = {
    {{"openai", "cachedPromptTokens"}, "input_cached_tokens"},
    {{"openai", "reasoningTokens"}, "output_reasoning_tokens"},
    {{"openai", "acceptedPredictionTokens"}, "output_accepted_prediction_tokens"},
    {{"openai", "rejectedPredictionTokens"}, "output_rejected_prediction_tokens"},
    {{"anthropic", "usage", "cache_read_input_tokens"}, "input_cached_tokens"},
    {{"anthropic", "usage", "cache_creation_input_tokens"}, "input_cache_creation"},
    {{"bedrock", "usage", "cacheReadInputTokens"}, "input_cached_tokens"},
    {{"bedrock", "usage", "cacheWriteInputTokens"}, "input_cache_creation"},
};

static void read_provider_metadata(const struct otlp_view *view, struct usage *usage)
{
    struct slice text = view_text_of(view, NAME_AI_RESPONSE_PROVIDER_METADATA);
    struct slice json;
    if (!text_is_json(text, JSON_OBJECT, view->arena, &json)) {
        return;
    }
    for (size_t i = 0; i < sizeof(provider_counts) / sizeof(provider_counts[0]); i++) {
        struct slice at = json;
        bool found = true;
        for (int step = 0; step < 3 && provider_counts[i].path[step] != NULL && found; step++) {
            found = json_member(at, provider_counts[i].path[step], view->arena, &at);
        }
        struct any any = {.type = ANY_STRING, .text = at};
        int64_t tokens;
        if (found && any_count(&any, &tokens)) {
            usage_set(usage, slice_from(provider_counts[i].key), tokens);
        }
    }
}

static void read_ai_usage(const struct otlp_view *view, struct usage *usage)
{
    static const uint8_t input[] = {NAME_GEN_AI_USAGE_PROMPT_TOKENS, NAME_GEN_AI_USAGE_INPUT_TOKENS,
                                    NAME_END};
    static const uint8_t output[] = {NAME_GEN_AI_USAGE_COMPLETION_TOKENS,
                                     NAME_GEN_AI_USAGE_OUTPUT_TOKENS, NAME_END};
    static const uint8_t total[] = {NAME_AI_USAGE_TOKENS, NAME_END};
    static const uint8_t cached[] = {NAME_AI_USAGE_CACHED_INPUT_TOKENS, NAME_END};
    static const uint8_t reasoning[] = {NAME_AI_USAGE_REASONING_TOKENS, NAME_END};
    read_first(view, usage, "input", input);
    read_first(view, usage, "output", output);
    read_first(view, usage, "total", total);
    read_provider_metadata(view, usage);
    read_first(view, usage, "input_cached_tokens", cached);
    read_first(view, usage, "output_reasoning_tokens", reasoning);
    subtract_kinds(usage);
    usage_subtract(usage, "output", "output_accepted_prediction_tokens");
    usage_subtract(usage, "output", "output_rejected_prediction_tokens");
}

/* A member of an object, and the key that it counts for. */
struct usage_member {
    const char *name;
    const char *key;
};

static void read_members(const struct otlp_view *view, struct slice json,
                         const struct usage_member *members, size_t count, struct usage *usage)
{
    struct any any = {.type = ANY_STRING};
    int64_t tokens;
    for (size_t i = 0; i < count; i++) {
        if (json_member(json, members[i].name, view->arena, &any.text) &&
            any_count(&any, &tokens)) {
            usage_set(usage, slice_from(members[i].key), tokens);
        }
    }
    subtract_kinds(usage);
}

/* {"usage":{"inputTokens":n,...}} inside genkit:output */
static void read_genkit_usage(const struct otlp_view *view, struct usage *usage)
{
    static const struct usage_member members[] = {
        {"inputTokens", "input"},
        {"outputTokens", "output"},
        {"totalTokens", "total"},
        {"cachedContentTokens", "input_cached_tokens"},
        {"thoughtsTokens", "output_reasoning_tokens"},
    };
    struct slice text = view_text_of(view, NAME_GENKIT_OUTPUT);
    struct slice json;
    if (text_is_json(text, JSON_OBJECT, view->arena, &json) &&
        json_member(json, "usage", view->arena, &json)) {
        read_members(view, json, members, sizeof(members) / sizeof(members[0]), usage);
    }
}

static void read_mlflow_usage(const struct otlp_view *view, struct usage *usage)
{
    static const struct usage_member members[] = {
        {"input_tokens", "input"},
        {"output_tokens", "output"},
        {"total_tokens", "total"},
        {"cache_read_input_tokens", "input_cached_tokens"},
        {"cache_creation_input_tokens", "input_cache_creation"},
    };
    struct slice text = view_text_of(view, NAME_MLFLOW_CHAT_TOKEN_USAGE);
    struct slice json;
    if (text_is_json(text, JSON_OBJECT, view->arena, &json)) {
        read_members(view, json, members, sizeof(members) / sizeof(members[0]), usage);
    }
}

/* The attribute's object as JSON text; false: it is none. */
static bool object_text(struct otlp_view *view, const struct attribute *attribute,
                        struct slice *out)
{
    return text_is_json(any_text(&attribute->value, view->arena), JSON_OBJECT, view->arena, out);
}

/* A flow or prompt of Genkit, around the calls of models: it says again what those used. */
static bool is_genkit_call_of_calls(const struct otlp_view *view)
{
    static const char *const types[] = {"util", NULL};
    return view_is_one_of(view, NAME_GENKIT_TYPE, types);
}

/* Of the Vercel AI SDK's calls as a whole: gen_ai.usage.* is with its children alone. */
bool otlp_costs_are_inside(const struct otlp_view *view)
{
    static const char *const calls[] = {"ai.generateText",
                                        "ai.streamText",
                                        "ai.generateObject",
                                        "ai.streamObject",
                                        "ai.embed",
                                        "ai.embedMany",
                                        NULL};
    return view->scope_kind == SCOPE_AI && view_is_one_of(view, NAME_AI_OPERATION_ID, calls) &&
           !view_has_group(view, GROUP_GEN_AI_USAGE);
}

void otlp_usage_find(struct otlp_view *view, struct usage *usage)
{
    struct slice json;
    const struct attribute *details = view_find(view, NAME_LF_OBSERVATION_USAGE_DETAILS);
    if (details != NULL) {
        if (object_text(view, details, &json)) {
            usage_read(usage, json, view->arena);
        }
    } else if (is_genkit_call_of_calls(view)) {
        return;
    } else if (view->scope_kind == SCOPE_AI) {
        read_ai_usage(view, usage);
    } else {
        read_generic_usage(view, usage);
        if (usage->count == 0) {
            read_genkit_usage(view, usage);
        }
        if (usage->count == 0) {
            read_mlflow_usage(view, usage);
        }
    }
    usage_add_total(usage);
}

void otlp_costs_find(struct otlp_view *view, struct costs *costs)
{
    static const uint8_t totals[] = {NAME_GEN_AI_USAGE_COST, NAME_LLM_COST_TOTAL, NAME_END};
    struct slice json;
    const struct attribute *details = view_find(view, NAME_LF_OBSERVATION_COST_DETAILS);
    if (details != NULL) {
        if (object_text(view, details, &json)) {
            costs_read(costs, json, view->arena);
            costs_add_total(costs, view->arena);
        }
        return;
    }
    const struct attribute *total = view_first(view, totals);
    if (total != NULL && any_amount(&total->value, view->arena, &json)) {
        costs_set(costs, SLICE_LITERAL("total"), json);
    }
}
