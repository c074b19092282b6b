/* otlp_model, otlp_usage: model, parameters, usage, cost, prompt, first token by contract/langfuse.md
 * sections 2.5, 3.4. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "otlp_cases.h"

#define CASE(column, attributes, expected)                                                         \
    {                                                                                              \
        attributes, IN_OBSERVATION, OBSERVATION_##column, expected, NULL, NULL, NULL               \
    }
#define SCOPED(column, scope, attributes, expected)                                                \
    {                                                                                              \
        attributes, IN_OBSERVATION, OBSERVATION_##column, expected, scope, NULL, NULL              \
    }

static void models(void **state)
{
    static const struct otlp_case cases[] = {
        CASE(MODEL, NULL, NULL),
        CASE(MODEL, "{\"gen_ai.request.model\":\"a\",\"gen_ai.response.model\":\"b\"}", "b"),
        CASE(MODEL, "{\"langfuse.observation.model.name\":\"c\",\"gen_ai.response.model\":\"b\"}",
             "c"),
        CASE(MODEL, "{\"model\":\"\\\"g\\\"\"}", "g"),
        CASE(MODEL, "{\"model\":\"\\\"g\\\"\",\"mlflow.llm.model\":\"\\\"h\\\"\"}", "h"),
        CASE(MODEL, "{\"ai.model.id\":\"d\",\"gen_ai.request.model\":\"a\"}", "d"),
        CASE(MODEL, "{\"llm.response.model\":\"e\",\"llm.model_name\":\"f\",\"model\":\"g\"}", "e"),
        CASE(MODEL, "{\"llm.model_name\":\"f\",\"model\":\"g\"}", "f"),
        CASE(MODEL, "{\"langfuse.generation.model\":\"ref\"}", "ref"),
        CASE(MODEL, "{\"gen_ai.request.model\":\"r\",\"langfuse.generation.model\":\"ref\"}",
             "ref"),
        CASE(MODEL, "{\"embedding.model_name\":\"h\"}", "h"),
        CASE(MODEL, "{\"llm.invocation_parameters\":\"{\\\"model\\\":\\\"i\\\"}\"}", "i"),
        CASE(MODEL, "{\"llm.invocation_parameters\":\"{\\\"model\\\":7}\"}", NULL),
        CASE(MODEL, "{\"llm.invocation_parameters\":\"{\"}", NULL),
        CASE(MODEL, "{\"genkit:name\":\"g\",\"genkit:metadata:subtype\":\"model\"}", "g"),
        CASE(MODEL, "{\"genkit:name\":\"g\",\"genkit:metadata:subtype\":\"tool\"}", NULL),
    };
    OTLP_CHECK_ALL(cases);
}

#define AGENT                                                                                      \
    "{\"gen_ai.operation.name\":\"invoke_agent\",\"gen_ai.request.model\":\"m\","                  \
    "\"gen_ai.usage.input_tokens\":5,\"gen_ai.usage.cost\":1}"

static void an_agent_repeats_what_its_children_used(void **state)
{
    static const struct otlp_case cases[] = {
        CASE(MODEL, AGENT, NULL),        CASE(USAGE_DETAILS, AGENT, "{}"),
        CASE(COST_DETAILS, AGENT, NULL), CASE(PROMPT_TOKENS, AGENT, NULL),
        CASE(TOTAL_COST, AGENT, NULL),   CASE(TYPE, AGENT, "AGENT"),
    };
    OTLP_CHECK_ALL(cases);
}

static void parameters(void **state)
{
    static const struct otlp_case cases[] = {
        CASE(MODEL_PARAMETERS, NULL, NULL),
        CASE(MODEL_PARAMETERS, "{\"gen_ai.request.model\":\"m\"}", NULL),
        CASE(MODEL_PARAMETERS,
             "{\"gen_ai.request.temperature\":0.5,\"gen_ai.request.max_tokens\":300,"
             "\"gen_ai.request.stop_sequences\":[\"END\",\"STOP\"],\"gen_ai.request.stream\":true,"
             "\"llm.invocation_parameters.k\":\"v\",\"gen_ai.request.none\":null}",
             "{\"temperature\":0.5,\"max_tokens\":300,\"stop_sequences\":\"[\\\"END\\\",\\\"STOP"
             "\\\"]\",\"stream\":\"true\",\"k\":\"v\"}"),
        CASE(MODEL_PARAMETERS,
             "{\"langfuse.observation.model.parameters\":\"{\\\"a\\\":1.50,\\\"b\\\":null,"
             "\\\"c\\\":[1],\\\"d\\\":true,\\\"e\\\":\\\"x\\\"}\",\"gen_ai.request.top_p\":1}",
             "{\"a\":1.50,\"c\":\"[1]\",\"d\":\"true\",\"e\":\"x\"}"),
        CASE(MODEL_PARAMETERS,
             "{\"langfuse.observation.model.parameters\":\"no\",\"gen_ai.request.top_p\":1}",
             "{\"top_p\":1}"),
        CASE(MODEL_PARAMETERS,
             "{\"llm.invocation_parameters\":\"{\\\"a\\\":1}\",\"gen_ai.request.top_p\":1}",
             "{\"a\":1}"),
        CASE(MODEL_PARAMETERS, "{\"model_config\":{\"a\":false}}", "{\"a\":\"false\"}"),
        SCOPED(MODEL_PARAMETERS, "ai",
               "{\"ai.settings.maxSteps\":3,\"gen_ai.request.temperature\":0.25,"
               "\"gen_ai.request.top_k\":1,\"gen_ai.response.finish_reasons\":[\"stop\"],"
               "\"gen_ai.system\":\"openai\",\"gen_ai.request.max_tokens\":9}",
               "{\"maxSteps\":\"3\",\"maxTokens\":\"9\",\"finishReason\":\"[\\\"stop\\\"]\","
               "\"system\":\"openai\",\"temperature\":\"0.25\"}"),
    };
    OTLP_CHECK_ALL(cases);
}

#define GENERIC                                                                                    \
    "{\"gen_ai.usage.input_tokens\":1000,\"gen_ai.usage.output_tokens\":200,"                      \
    "\"gen_ai.usage.cache_read.input_tokens\":400,\"gen_ai.usage.reasoning.output_tokens\":50}"
#define OPENINFERENCE                                                                              \
    "{\"llm.token_count.prompt\":10,\"llm.token_count.completion\":20,"                            \
    "\"llm.token_count.total\":31,\"llm.token_count.prompt_details.cache_read\":4,"                \
    "\"llm.token_count.prompt_details.cache_write\":3,"                                            \
    "\"llm.token_count.completion_details.reasoning\":5,"                                          \
    "\"llm.token_count.completion_details.audio\":6,"                                              \
    "\"llm.token_count.prompt_details.audio\":1}"

static void usage_of_any_instrumentation(void **state)
{
    static const struct otlp_case cases[] = {
        CASE(USAGE_DETAILS, NULL, "{}"),
        CASE(PROMPT_TOKENS, NULL, NULL),
        CASE(TOTAL_TOKENS, NULL, NULL),
        CASE(USAGE_DETAILS, GENERIC,
             "{\"input\":600,\"output\":150,\"input_cached_tokens\":400,"
             "\"output_reasoning_tokens\":50,\"total\":1200}"),
        CASE(PROMPT_TOKENS, GENERIC, "1000"),
        CASE(COMPLETION_TOKENS, GENERIC, "200"),
        CASE(TOTAL_TOKENS, GENERIC, "1200"),
        CASE(USAGE_DETAILS, OPENINFERENCE,
             "{\"input\":3,\"output\":9,\"total\":31,\"input_cached_tokens\":4,"
             "\"input_cache_creation\":3,\"output_reasoning_tokens\":5,\"output_audio_tokens\":6,"
             "\"prompt_details.audio\":1}"),
        CASE(TOTAL_TOKENS, OPENINFERENCE, "31"),
        CASE(USAGE_DETAILS,
             "{\"gen_ai.usage.input_tokens\":9,\"gen_ai.usage.prompt_tokens\":\"7\","
             "\"gen_ai.usage.details.odd\":2.0,\"gen_ai.usage.completion\":-1,"
             "\"gen_ai.usage.half\":0.5,\"gen_ai.usage.word\":\"x\",\"gen_ai.usage.cost\":1}",
             "{\"input\":7,\"odd\":2,\"total\":9}"),
        CASE(USAGE_DETAILS,
             "{\"gen_ai.usage.input_tokens\":1,\"gen_ai.usage.cache_read_input_tokens\":5}",
             "{\"input\":0,\"input_cached_tokens\":5,\"total\":5}"),
        /* What is within another count is counted once. */
        CASE(USAGE_DETAILS,
             "{\"gen_ai.usage.input_tokens\":21,\"gen_ai.usage.output_tokens\":7,"
             "\"gen_ai.usage.cache_read.input_tokens\":5,"
             "\"gen_ai.usage.details.reasoning_tokens\":2,"
             "\"gen_ai.usage.details.cached_content_tokens\":5}",
             "{\"input\":16,\"output\":7,\"input_cached_tokens\":5,\"reasoning_tokens\":2,"
             "\"cached_content_tokens\":5,\"total\":28}"),
        CASE(USAGE_DETAILS,
             "{\"gen_ai.usage.input_tokens\":21,\"gen_ai.usage.details.thoughts_tokens\":2,"
             "\"gen_ai.usage.total_tokens\":30}",
             "{\"input\":21,\"thoughts_tokens\":2,\"total\":30}"),
        CASE(USAGE_DETAILS,
             "{\"mlflow.chat.tokenUsage\":\"{\\\"input_tokens\\\":21,\\\"output_tokens\\\":7,"
             "\\\"total_tokens\\\":28,\\\"cache_read_input_tokens\\\":5}\"}",
             "{\"input\":16,\"output\":7,\"total\":28,\"input_cached_tokens\":5}"),
        CASE(USAGE_DETAILS, "{\"mlflow.chat.tokenUsage\":\"[1]\"}", "{}"),
        CASE(USAGE_DETAILS, "{\"gen_ai.usage.input_tokens\":9223372036854775807}", "{}"),
        CASE(USAGE_DETAILS,
             "{\"genkit:output\":\"{\\\"usage\\\":{\\\"inputTokens\\\":3,\\\"outputTokens\\\":4}}"
             "\"}",
             "{\"input\":3,\"output\":4,\"total\":7}"),
    };
    OTLP_CHECK_ALL(cases);
}

#define DETAILS(json) "{\"langfuse.observation.usage_details\":\"" json "\"}"

static void usage_details_as_langfuse_sends_them(void **state)
{
    static const struct otlp_case cases[] = {
        CASE(USAGE_DETAILS, DETAILS("{\\\"input\\\":1,\\\"output\\\":2,\\\"x\\\":3}"),
             "{\"input\":1,\"output\":2,\"x\":3,\"total\":6}"),
        CASE(USAGE_DETAILS,
             DETAILS("{\\\"prompt_tokens\\\":200,\\\"completion_tokens\\\":50,\\\"total_tokens\\\":"
                     "250,\\\"prompt_tokens_details\\\":{\\\"cached_tokens\\\":64},"
                     "\\\"completion_tokens_details\\\":{\\\"reasoning_tokens\\\":10,"
                     "\\\"none\\\":null}}"),
             "{\"input\":136,\"output\":40,\"total\":250,\"input_cached_tokens\":64,"
             "\"output_reasoning_tokens\":10}"),
        CASE(USAGE_DETAILS,
             DETAILS("{\\\"promptTokens\\\":4,\\\"completionTokens\\\":5,\\\"totalTokens\\\":10}"),
             "{\"input\":4,\"output\":5,\"total\":10}"),
        CASE(PROMPT_TOKENS, DETAILS("{\\\"promptTokens\\\":4}"), "4"),
        CASE(PROMPT_TOKENS, DETAILS("{\\\"prompt_tokens\\\":4}"), "4"),
        CASE(USAGE_DETAILS,
             "{\"langfuse.observation.usage_details\":\"none\",\"gen_ai.usage.input_tokens\":1}",
             "{}"),
        CASE(USAGE_DETAILS, "{\"langfuse.observation.usage_details\":{\"input\":1}}",
             "{\"input\":1,\"total\":1}"),
    };
    OTLP_CHECK_ALL(cases);
}

static void usage_of_the_vercel_ai_sdk(void **state)
{
    static const struct otlp_case cases[] = {
        SCOPED(USAGE_DETAILS, "ai",
               "{\"gen_ai.usage.input_tokens\":100,\"gen_ai.usage.output_tokens\":50,"
               "\"ai.usage.cachedInputTokens\":30,\"ai.usage.reasoningTokens\":20,"
               "\"gen_ai.usage.other\":1}",
               "{\"input\":70,\"output\":30,\"input_cached_tokens\":30,"
               "\"output_reasoning_tokens\":20,\"total\":150}"),
        SCOPED(USAGE_DETAILS, "ai",
               "{\"gen_ai.usage.prompt_tokens\":100,\"ai.usage.tokens\":111,"
               "\"ai.response.providerMetadata\":\"{\\\"anthropic\\\":{\\\"usage\\\":{"
               "\\\"cache_read_input_tokens\\\":60,\\\"cache_creation_input_tokens\\\":10}}}\"}",
               "{\"input\":30,\"total\":111,\"input_cached_tokens\":60,"
               "\"input_cache_creation\":10}"),
        SCOPED(
            USAGE_DETAILS, "ai",
            "{\"gen_ai.usage.completion_tokens\":10,\"ai.response.providerMetadata\":"
            "\"{\\\"openai\\\":{\\\"reasoningTokens\\\":4,\\\"acceptedPredictionTokens\\\":1}}\"}",
            "{\"output\":5,\"output_reasoning_tokens\":4,"
            "\"output_accepted_prediction_tokens\":1,\"total\":10}"),
    };
    OTLP_CHECK_ALL(cases);
}

#define PROVIDER                                                                                   \
    "\"ai.response.providerMetadata\":\"{\\\"openai\\\":{\\\"cachedPromptTokens\\\":5}}\""

static void a_call_around_calls_repeats_what_they_used(void **state)
{
    static const struct otlp_case cases[] = {
        SCOPED(USAGE_DETAILS, "ai",
               "{\"ai.operationId\":\"ai.generateText\",\"ai.model.id\":\"m\","
               "\"ai.usage.cachedInputTokens\":5,\"ai.usage.reasoningTokens\":2," PROVIDER "}",
               "{\"input_cached_tokens\":5,\"output_reasoning_tokens\":2,\"total\":7}"),
        /* Given, and empty: nothing is computed. */
        SCOPED(COST_DETAILS, "ai",
               "{\"ai.operationId\":\"ai.generateText\",\"ai.usage.cachedInputTokens\":5}", "{}"),
        SCOPED(COST_DETAILS, "ai",
               "{\"ai.operationId\":\"ai.generateText.doGenerate\",\"ai.usage.tokens\":5}", NULL),
        SCOPED(MODEL, "ai", "{\"ai.operationId\":\"ai.generateText\",\"ai.model.id\":\"m\"}", "m"),
        SCOPED(USAGE_DETAILS, "ai", "{\"ai.operationId\":\"ai.embed\",\"ai.usage.tokens\":4}",
               "{\"total\":4}"),
        SCOPED(COST_DETAILS, "ai", "{\"ai.operationId\":\"ai.embed\",\"ai.usage.tokens\":4}", "{}"),
        SCOPED(USAGE_DETAILS, "ai",
               "{\"ai.operationId\":\"ai.embed.doEmbed\",\"ai.usage.tokens\":4}", "{\"total\":4}"),
        /* Who says how many went in and out tells of a call of its own. */
        SCOPED(USAGE_DETAILS, "ai",
               "{\"ai.operationId\":\"ai.generateText\",\"gen_ai.usage.input_tokens\":9," PROVIDER
               "}",
               "{\"input\":4,\"input_cached_tokens\":5,\"total\":9}"),
        CASE(USAGE_DETAILS,
             "{\"genkit:type\":\"util\",\"genkit:output\":\"{\\\"usage\\\":{\\\"inputTokens\\\":3}}"
             "\"}",
             "{}"),
        CASE(USAGE_DETAILS,
             "{\"genkit:type\":\"action\",\"genkit:output\":\"{\\\"usage\\\":{\\\"inputTokens\\\":"
             "3}}\"}",
             "{\"input\":3,\"total\":3}"),
    };
    OTLP_CHECK_ALL(cases);
}

#define COSTS(json) "{\"langfuse.observation.cost_details\":\"" json "\"}"

static void costs(void **state)
{
    static const struct otlp_case cases[] = {
        CASE(COST_DETAILS, NULL, NULL),
        CASE(COST_DETAILS, COSTS("{\\\"input\\\":0.0003,\\\"output\\\":3e-4}"),
             "{\"input\":0.0003,\"output\":3e-4,\"total\":0.0006}"),
        CASE(TOTAL_COST, COSTS("{\\\"input\\\":0.1,\\\"output\\\":0.2}"), "0.3"),
        CASE(INPUT_COST, COSTS("{\\\"input\\\":0.1,\\\"input_cached\\\":0.02,\\\"total\\\":1}"),
             "0.12"),
        CASE(INPUT_COST, COSTS("{\\\"input\\\":0.1,\\\"input_cached\\\":0.02}"), NULL),
        CASE(COST_DETAILS, COSTS("{\\\"input\\\":1,\\\"x\\\":2,\\\"y\\\":-1,\\\"z\\\":\\\"a\\\"}"),
             "{\"input\":1,\"x\":2}"),
        CASE(TOTAL_COST, COSTS("{\\\"input\\\":1,\\\"x\\\":2}"), NULL),
        CASE(TOTAL_COST, COSTS("{\\\"total\\\":5,\\\"x\\\":2}"), "5"),
        CASE(COST_DETAILS, "{\"gen_ai.usage.cost\":0.0123,\"llm.cost.total\":2}",
             "{\"total\":0.0123}"),
        CASE(TOTAL_COST, "{\"llm.cost.total\":\"2.50\"}", "2.50"),
        CASE(COST_DETAILS, "{\"llm.cost.total\":-1}", NULL),
        CASE(COST_DETAILS, COSTS("[]"), NULL),
    };
    OTLP_CHECK_ALL(cases);
}

#define LINK "\"langfuse.observation.prompt.name\":\"p\",\"langfuse.observation.prompt.version\":3"

static void prompts(void **state)
{
    static const struct otlp_case cases[] = {
        CASE(PROMPT_NAME, "{\"model\":\"m\"," LINK "}", "p"),
        CASE(PROMPT_VERSION, "{\"model\":\"m\"," LINK "}", "3"),
        CASE(PROMPT_NAME, "{" LINK "}", NULL),
        CASE(PROMPT_NAME, "{\"model\":\"m\",\"langfuse.prompt.name\":\"q\"}", "q"),
        CASE(PROMPT_NAME,
             "{\"model\":\"m\",\"ai.telemetry.metadata.langfusePrompt\":"
             "\"{\\\"name\\\":\\\"r\\\",\\\"version\\\":7}\"}",
             "r"),
        CASE(PROMPT_VERSION,
             "{\"model\":\"m\",\"ai.telemetry.metadata.langfusePrompt\":"
             "\"{\\\"name\\\":\\\"r\\\",\\\"version\\\":7}\"}",
             "7"),
    };
    OTLP_CHECK_ALL(cases);
}

#define FIRST(value) "{\"langfuse.observation.completion_start_time\":\"" value "\"}"

static void the_first_token(void **state)
{
    static const struct otlp_case cases[] = {
        CASE(COMPLETION_START_TIME, NULL, NULL),
        CASE(COMPLETION_START_TIME, FIRST("2026-01-01T00:00:00.5Z"), "1767225600500000"),
        CASE(COMPLETION_START_TIME, FIRST("\\\"2026-01-01T00:00:00.5Z\\\""), "1767225600500000"),
        CASE(COMPLETION_START_TIME, FIRST("\\\"\\\\\\\"2026-01-01T00:00:00Z\\\\\\\"\\\""),
             "1767225600000000"),
        CASE(COMPLETION_START_TIME, FIRST("soon"), NULL),
        CASE(COMPLETION_START_TIME, "{\"ai.response.msToFirstChunk\":250.2}", "1767225600251000"),
        CASE(COMPLETION_START_TIME, "{\"ai.stream.msToFirstChunk\":100}", "1767225600100000"),
        CASE(COMPLETION_START_TIME, "{\"gen_ai.client.operation.time_to_first_chunk\":0.2502}",
             "1767225600250200"),
        CASE(COMPLETION_START_TIME, "{\"gen_ai.response.time_to_first_chunk\":1}",
             "1767225601000000"),
        CASE(COMPLETION_START_TIME, "{\"gen_ai.response.time_to_first_chunk\":1.5e300}", NULL),
    };
    OTLP_CHECK_ALL(cases);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(models),
        cmocka_unit_test(an_agent_repeats_what_its_children_used),
        cmocka_unit_test(parameters),
        cmocka_unit_test(usage_of_any_instrumentation),
        cmocka_unit_test(usage_details_as_langfuse_sends_them),
        cmocka_unit_test(usage_of_the_vercel_ai_sdk),
        cmocka_unit_test(a_call_around_calls_repeats_what_they_used),
        cmocka_unit_test(costs),
        cmocka_unit_test(prompts),
        cmocka_unit_test(the_first_token),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
